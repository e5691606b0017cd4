package resolver

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// FuzzValidate puts a hostile response in the place of one that a signed world gives.
//
// Law: no panic; the task ends in time and leaves nothing in use; what is marked as authentic is what the zone has,
// and an address that is not the zone's reaches nobody.
func FuzzValidate(f *testing.F) {
	q := new(dns.Msg).SetQuestion("www.example.test.", dns.TypeA)
	for _, z := range newSignedWorld(f, nil).zones {
		raw, err := z.answer(q).Pack()
		if err != nil {
			f.Fatal(err)
		}
		for which := range uint8(6) {
			f.Add(raw, which, []byte{byte(len(raw) / 2), 1})
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, which uint8, edits []byte) {
		w := newSignedWorld(t, func(o *Options) { o.MaxTasks, o.MaxServers, o.PlainCase = 32, 16, true })
		nth := 0
		for at, server := range w.servers {
			w.servers[at] = func(q sent) []reply {
				r := server(q)
				if nth++; nth != 1+int(which%8) {
					return r
				}
				msg := append([]byte(nil), raw...)
				if which&0x40 != 0 { // the right response, with some octets changed
					msg, _ = r[0].msg.Pack()
				}
				for i := 0; i+1 < len(edits); i += 2 {
					if at := wire.HeaderLen + int(edits[i])*2; at < len(msg) {
						msg[at] ^= edits[i+1]
					}
				}
				if end, ok := dname.Skip(q.raw, wire.HeaderLen); ok && len(msg) >= end+4 {
					wire.SetID(msg, wire.ID(q.raw))
					wire.SetFlags(msg, wire.Flags(msg)&^(wire.OpcodeMask|wire.FlagTC)|wire.FlagQR)
					copy(msg[wire.HeaderLen:], q.raw[wire.HeaderLen:end+4])
				}
				return []reply{{raw: msg, after: r[0].after}}
			}
		}
		for _, name := range []string{"alias.example.test.", "x.wild.example.test.", "none.example.test."} {
			question := question(name, wire.TypeA)
			question.DO = which&0x80 != 0
			a, m := w.resolve(question)
			for _, rr := range m.Answer {
				if a, ok := rr.(*dns.A); ok && a.A.String() != "198.51.100.1" && a.A.String() != "198.51.100.2" {
					t.Errorf("%v", rr)
				}
			}
			if a.AD && strings.HasPrefix(name, "none.") != (m.Rcode == dns.RcodeNameError) {
				t.Errorf("%s: rcode %d is marked as authentic", name, m.Rcode)
			}
		}
		w.idle()
	})
}
