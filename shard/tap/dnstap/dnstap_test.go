package dnstap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	published "github.com/dnstap/golang-dnstap"
	framestream "github.com/farsightsec/golang-framestream"
	"google.golang.org/protobuf/proto"
)

// decode reads a frame with the published schema.
func decode(t *testing.T, frame []byte) *published.Dnstap {
	t.Helper()
	if n := binary.BigEndian.Uint32(frame); int(n) != len(frame)-4 {
		t.Fatalf("a frame of %d octets says %d", len(frame)-4, n)
	}
	var d published.Dnstap
	if err := proto.Unmarshal(frame[4:], &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

func orZero(at int64) int64 { return max(at, 0) }

// Whatever a message has, others read the same.
func FuzzFrame(f *testing.F) {
	f.Add(uint8(6), uint8(1), []byte{127, 0, 0, 1}, []byte{127, 0, 0, 2}, uint16(4000), uint16(53), int64(1e18+5), []byte("query"), []byte("\x03org\x00"), int64(1e18+6), []byte("response"), "me", "1.0")
	f.Add(uint8(3), uint8(2), bytes.Repeat([]byte{0xfe}, 16), []byte{}, uint16(0), uint16(65535), int64(0), []byte{}, []byte{0}, int64(-1), bytes.Repeat([]byte{1}, 65535), "", "")
	f.Fuzz(func(t *testing.T, typ, protocol uint8, from, to []byte, port, at uint16, asked int64, query, zone []byte, answered int64, response []byte, identity, version string) {
		m := Message{
			Type: Type(typ%8 + 1), Protocol: Protocol(protocol%4 + 1), QueryAddress: from, ResponseAddress: to, QueryPort: port, ResponsePort: at,
			QueryTime: asked, QueryMessage: query, QueryZone: zone, ResponseTime: answered, ResponseMessage: response,
		}
		d := decode(t, NewEncoder(identity, version).AppendFrame([]byte("before"), &m)[6:])
		got := d.GetMessage()
		if string(d.GetIdentity()) != identity || string(d.GetVersion()) != version || d.GetType() != published.Dnstap_MESSAGE {
			t.Errorf("%v", d)
		}
		if int(got.GetType()) != int(m.Type) || int(got.GetSocketProtocol()) != int(m.Protocol) || !bytes.Equal(got.QueryAddress, from) || !bytes.Equal(got.ResponseAddress, to) ||
			got.GetQueryPort() != uint32(port) || got.GetResponsePort() != uint32(at) || !bytes.Equal(got.QueryMessage, query) || !bytes.Equal(got.QueryZone, zone) || !bytes.Equal(got.ResponseMessage, response) {
			t.Errorf("%v", got)
		}
		if int64(got.GetQueryTimeSec())*1e9+int64(got.GetQueryTimeNsec()) != orZero(asked) || int64(got.GetResponseTimeSec())*1e9+int64(got.GetResponseTimeNsec()) != orZero(answered) {
			t.Errorf("times %v", got)
		}
		want := published.SocketFamily(0)
		switch max(len(from), len(to)) {
		case 4:
			want = published.SocketFamily_INET
		case 16:
			want = published.SocketFamily_INET6
		}
		if want != 0 && got.GetSocketFamily() != want {
			t.Errorf("family %v", got.GetSocketFamily())
		}
	})
}

// Whatever a reader says, it is read to its end or refused, and nothing is taken for ACCEPT that is not.
func FuzzControl(f *testing.F) {
	f.Add(appendControl(nil, accept, true))
	f.Add(appendControl(nil, accept, false))
	f.Add(appendControl(nil, finish, false))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Add([]byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, said []byte) {
		from := bytes.NewReader(said)
		if await(from, accept) != nil {
			return
		}
		read := said[:len(said)-from.Len()]
		c, types, err := parseControl(read[8:])
		if err != nil || c != accept || !offers(types) || len(read) > 8+maxControl {
			t.Errorf("%v %v %v", c, types, err)
		}
	})
}

// pipes joins two pipes to a connection.
type pipes struct {
	io.Reader
	io.Writer
}

// The handshake, the frames and the end are those of another implementation of Frame Streams.
func TestStreamIsReadByOthers(t *testing.T) {
	toReader, fromUs := io.Pipe()
	toUs, fromReader := io.Pipe()
	read := make(chan []string, 1)
	go func() {
		var got []string
		defer func() { read <- got }()
		r, err := framestream.NewReader(pipes{toReader, fromReader}, &framestream.ReaderOptions{ContentTypes: [][]byte{[]byte(ContentType)}, Bidirectional: true, Timeout: time.Minute})
		if err != nil {
			t.Error(err)
			return
		}
		var buf [4096]byte
		for {
			n, err := r.ReadFrame(buf[:])
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, framestream.EOF) {
					t.Error(err)
				}
				return
			}
			var d published.Dnstap
			if err := proto.Unmarshal(buf[:n], &d); err != nil {
				t.Error(err)
			}
			got = append(got, string(d.GetMessage().GetQueryMessage()))
		}
	}()
	conn := pipes{toUs, fromUs}
	if err := Begin(conn); err != nil {
		t.Fatal(err)
	}
	e := NewEncoder("", "")
	fromUs.Write(e.AppendFrame(e.AppendFrame(nil, &Message{Type: ClientQuery, QueryMessage: []byte("one")}), &Message{Type: ClientQuery, QueryMessage: []byte("two")}))
	fromUs.Write(AppendStop(nil))
	if err := Finished(conn); err != nil {
		t.Error(err)
	}
	if got := <-read; len(got) != 2 || got[0] != "one" || got[1] != "two" {
		t.Errorf("%q", got)
	}
}

// Who does not speak the protocol, or takes other frames, is told apart.
func TestWrongReaders(t *testing.T) {
	other := append([]byte{0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5}, "other"...)
	for name, said := range map[string][]byte{
		"http": []byte("HTTP/1.1 400 Bad Request"), "finish": appendControl(nil, finish, false), "other": other,
		"long": {0, 0, 0, 0, 0, 0, 2, 1}, "short": {0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3},
	} {
		if err := await(bytes.NewReader(said), accept); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := await(bytes.NewReader([]byte{0, 0}), accept); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}
