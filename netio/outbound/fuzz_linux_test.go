package outbound

import (
	"testing"
	"time"
)

// split is the slow reader: the messages a stream of answers holds, as far as it
// is well formed.
func split(stream []byte) (msgs []string, malformed bool) {
	for len(stream) >= 2 {
		length := int(stream[0])<<8 | int(stream[1])
		if length < 2 {
			// A prefix that announces one octet is judged when that has come.
			return msgs, length == 0 || len(stream) > 2
		}
		if len(stream) < 2+length {
			break
		}
		msgs = append(msgs, string(stream[2:2+length]))
		stream = stream[2+length:]
	}
	return msgs, false
}

// The law: whatever octets a server sends before it closes, each query ends once;
// with the first message that has its ID if there is one before the stream goes
// bad, else with the error that fits.
func FuzzHostileServer(f *testing.F) {
	f.Add(frames("aa first", "bb second"))
	f.Add(frames("bb", "zz", "aa", "aa"))
	f.Add(frames("aa alone"))
	f.Add([]byte{0, 0})
	f.Add([]byte{0, 1, 'a'})
	f.Add([]byte{0, 5, 'a', 'a'})
	h := newHarness(f, Options{})
	s := newTCPServer(f)
	s.SetDeadline(time.Time{})
	f.Fuzz(func(t *testing.T, stream []byte) {
		if len(stream) > 50000 {
			return // must fit the kernel's buffers: nobody reads meanwhile
		}
		h.t, h.T, s.t = t, t, t
		clear(h.ends)
		retried := h.Stats().Retried
		h.ask(1, s.addr, "aa query")
		h.ask(2, s.addr, "bb query")
		c := s.accept()
		h.Quiet()
		c.expect("aa query", "bb query")
		c.send(stream)
		c.Close()

		want := map[uint64]end{}
		msgs, malformed := split(stream)
		others := 0
		for _, msg := range msgs {
			ref, asked := map[string]uint64{"aa": 1, "bb": 2}[msg[:2]]
			if _, ended := want[ref]; asked && !ended {
				want[ref] = end{msg, nil}
			} else if others++; others > maxUnsolicited {
				malformed = true
				break
			}
		}
		err := ErrClosed
		if malformed {
			err = ErrMalformed
		}
		// Closed after an answer, which servers may do: the other query moves.
		moves := len(want) == 1 && !malformed
		for ref := uint64(1); ref <= 2; ref++ {
			if _, answered := want[ref]; !answered {
				want[ref] = end{"", err}
			}
		}
		if moves {
			h.Until("moved", func() bool { return h.Stats().Retried > retried })
			s.accept().Close()
		}
		h.Until("closed", func() bool { return h.Stats().Streams == 0 })
		if len(h.ends) != 2 || h.ends[1] != want[1] || h.ends[2] != want[2] {
			t.Fatalf("%v, want %v", h.ends, want)
		}
		if st := h.Stats(); st.Buffered != 0 || st.InFlight != 0 {
			t.Fatalf("%+v", st)
		}
	})
}
