package ebpf

import (
	"encoding/binary"
	"testing"

	"heimdall/core/wire"
)

// A checksum that comes to 0 is sent as 0xffff: 0 says that there is none (RFC 768; RFC 8200, section 8.1).
func TestRootChecksumIsNeverZero(t *testing.T) {
	p := load(t, Options{Entries: 16})
	a := addressA(p.now())
	a.TTLs = nil // of a zone: they do not age between two queries
	p.publish(t, a)
	q := query("www.example.", wire.TypeA, 0, 0, false)
	for _, in := range [][]byte{frame(client4, server4, q), frame(client6, server6, q)} {
		message := len(in) - len(q)
		ask := func(id uint16) (checksum uint16) {
			t.Helper()
			binary.BigEndian.PutUint16(in[message:], id)
			out := p.try(t, in, Send, Exit(xdpExitSEND_ANSWER))
			checkFrame(t, in, out)
			return binary.BigEndian.Uint16(out[message-2:])
		}
		// The ID counts as one word of the sum: with what is missing to it the sum is full.
		if got := ask(ask(0)); got != 0xffff {
			t.Errorf("checksum %#04x, want 0xffff", got)
		}
	}
}
