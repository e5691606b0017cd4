package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// FuzzCheckReply asserts that no reply makes the checker panic, and that it calls
// a reply right only when an independent parser finds the same in it.
func FuzzCheckReply(f *testing.F) {
	p, err := newPattern("h%d.example", 10, dns.TypeA, netip.MustParseAddr("10.0.0.0"))
	if err != nil {
		f.Fatal(err)
	}
	want := p.question(nil, 3)
	good := (&testServer{}).answer(append(header(nil, 1), want...))
	f.Add(good)
	f.Add(append(bytes.Clone(good[:len(good)-16]), "\x01a\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x00\x00\x02\xc0\x0c"...))
	f.Fuzz(func(t *testing.T, reply []byte) {
		if checkReply(reply, want, p.expect(3)) != right {
			return
		}
		if reply[2]&0x82 != 0x80 || reply[3]&15 != 0 {
			t.Fatalf("flags %x%x are right?", reply[2], reply[3])
		}
		var m dns.Msg
		if m.Unpack(reply) != nil {
			return // the rest of the message is no affair of the checker
		}
		if len(m.Question) != 1 || m.Question[0].Name != "h3.example." || m.Question[0].Qtype != dns.TypeA {
			t.Fatalf("question %v is right?", m.Question)
		}
		for _, rr := range m.Answer {
			if a, ok := rr.(*dns.A); ok && a.Hdr.Class == dns.ClassINET && a.A.String() == "10.0.0.3" {
				return
			}
		}
		t.Fatalf("no answer of %v is right", m.Answer)
	})
}

// FuzzSplit asserts that messages and their lengths are exactly the octets used,
// and that what is left does not hold another.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("\x00\x01a\x00\x00\x00\x02bc\x00\x05d"))
	f.Fuzz(func(t *testing.T, in []byte) {
		msgs, used := split(nil, in)
		var again []byte
		for _, msg := range msgs {
			again = append(binary.BigEndian.AppendUint16(again, uint16(len(msg))), msg...)
		}
		if !bytes.Equal(again, in[:used]) {
			t.Fatalf("%x became %x", in, msgs)
		}
		if rest := in[used:]; len(rest) >= 2 && len(rest) >= 2+int(binary.BigEndian.Uint16(rest)) {
			t.Fatalf("a message is left in %x", rest)
		}
	})
}
