package ebpf

import (
	"encoding/binary"
	"net"
	"testing"

	"heimdall/core/wire"
)

// FuzzParsers gives the same octets to the program and to the Go parser. What the program drops tier 1 would
// drop or find malformed; what it answers tier 1 would answer.
func FuzzParsers(f *testing.F) {
	for _, q := range [][]byte{
		query("www.example.", wire.TypeA, 0, 0, false), query("wWw.example.", wire.TypeA, wire.FlagAD, 1232, false),
		query(".", wire.TypeNS, wire.FlagCD, 0, false), wire.AppendOption(query("www.example.", wire.TypeA, 0, 512, true), 10, make([]byte, 8)), {}, make([]byte, 12),
	} {
		f.Add(q, false, uint8(0))
		f.Add(q, true, uint8(1))
	}
	p := load(f, Options{Entries: 16})
	a := addressA(p.now())
	a.Expires = 1 << 30
	if _, err := p.Publish(1, p.now(), []Answer{a}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte, v6 bool, padding uint8) {
		if len(payload) > 1400 {
			return
		}
		in := frame(client4, server4, payload)
		if v6 {
			in = frame(client6, server6, payload)
		}
		in = append(in, make([]byte, padding%47)...)
		verdict, out, err := p.Try(in)
		if err != nil {
			t.Fatal(err)
		}
		var q wire.Query
		parsed := q.Parse(payload)
		switch verdict {
		case Drop:
			if parsed != wire.QueryShort && parsed != wire.QueryResponse && parsed != wire.QueryFormErr {
				t.Fatalf("dropped, but %v: %x", parsed, payload)
			}
		case Send:
			end := q.End
			if q.EDNS {
				end += 11 // an OPT without options
			}
			if parsed != wire.QueryOK || len(payload) != end || q.Type != wire.TypeA || q.Class != wire.ClassIN {
				t.Fatalf("answered, but %v: %x", parsed, payload)
			}
			checkFrame(t, in, out)
		case Pass:
			if string(out) != string(in) {
				t.Fatal("passed, but changed")
			}
			if parsed == wire.QueryShort || parsed == wire.QueryResponse {
				t.Fatalf("passed, but %v: %x", parsed, payload)
			}
		}
	})
}

// FuzzFrames gives the program any frame: it may not answer or drop what is not to one of its endpoints.
func FuzzFrames(f *testing.F) {
	q := query("www.example.", wire.TypeA, 0, 0, false)
	f.Add(frame(client4, server4, q))
	f.Add(frame(client6, server6, q, 0x88a8, 0x8100))
	p := load(f, Options{Entries: 16})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 14 || len(in) > 1500 {
			return
		}
		verdict, out, err := p.Try(in)
		if err != nil {
			t.Fatal(err)
		}
		if verdict != Pass && !ours(in) {
			t.Fatalf("verdict %d on %x", verdict, in)
		}
		if verdict != Send && string(out) != string(in) {
			t.Fatal("changed, but not sent")
		}
	})
}

// ours is the slow and obvious reading of a frame: UDP to one of the endpoints, without anything unusual.
func ours(b []byte) bool {
	ip := b[14:]
	proto := binary.BigEndian.Uint16(b[12:])
	for range 2 {
		if (proto == 0x8100 || proto == 0x88a8) && len(ip) >= 4 {
			proto, ip = binary.BigEndian.Uint16(ip[2:]), ip[4:]
		}
	}
	switch {
	case proto == 0x0800 && len(ip) >= 28 && ip[0] == 0x45 && ip[9] == 17 && binary.BigEndian.Uint16(ip[6:])&0x3fff == 0:
		return net.IP(ip[16:20]).Equal(server4.Addr().AsSlice()) && binary.BigEndian.Uint16(ip[22:]) == 53 ||
			net.IP(ip[16:20]).Equal(net.IPv4(192, 0, 2, 9)) && binary.BigEndian.Uint16(ip[22:]) == 54
	case proto == 0x86dd && len(ip) >= 48 && ip[0]>>4 == 6 && ip[6] == 17:
		return net.IP(ip[24:40]).Equal(server6.Addr().AsSlice()) && binary.BigEndian.Uint16(ip[42:]) == 53
	}
	return false
}
