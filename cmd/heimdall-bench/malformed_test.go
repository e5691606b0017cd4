package main

import (
	"testing"

	"github.com/miekg/dns"
)

// TestMalformedKinds: every packet but the response and the unknown opcode, which
// parse, is refused by an independent parser; none is longer than the buffer.
func TestMalformedKinds(t *testing.T) {
	m := &malformed{names: mustPattern(t, "h%d.example", 10)}
	for kind, name := range malformedKinds {
		for turn := range uint64(20) {
			p := m.packet(nil, 0x1234, turn*uint64(len(malformedKinds))+uint64(kind))
			if len(p) > maxPacket || p[0] != 0x12 || p[1] != 0x34 {
				t.Fatalf("%s: %x", name, p)
			}
			var msg dns.Msg
			err := msg.Unpack(p)
			switch name {
			case "response":
				if err != nil || !msg.Response {
					t.Errorf("%s: %v", name, err)
				}
			case "unknown_opcode":
				if err != nil || msg.Opcode != 15 {
					t.Errorf("%s: opcode %d, %v", name, msg.Opcode, err)
				}
			default:
				if err == nil && len(msg.Question) == 1 {
					t.Errorf("%s: %v was parsed", name, msg.Question)
				}
			}
		}
	}
}
