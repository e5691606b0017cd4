package resolver

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// FuzzReceive throws a hostile response at a task, over UDP and over TCP.
//
// Law: no panic; a datagram is accepted only if ID, source and question are those of the query; what is
// answered can be read, repeats the question, and holds nothing outside the chain that starts there; the
// task ends in time and leaves nothing in use.
func FuzzReceive(f *testing.F) {
	for _, records := range [][]string{
		{good}, {"an: www.example. 1 CNAME x.example.", "an: x.example. 1 A 192.0.2.9"},
		{"an: example. 1 DNAME test."}, {"ns: example. 1 SOA a. b. 1 2 3 4 5"}, {"ns: example. 1 NS a.example."}, nil,
	} {
		q := new(dns.Msg).SetQuestion("www.example.", dns.TypeA)
		m := answering(nil, records...)(sent{msg: q})[0].msg
		raw, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, uint8(0))
		f.Add(raw, uint8(1))
		f.Add(raw, uint8(2))
	}
	f.Fuzz(func(t *testing.T, raw []byte, how uint8) {
		g := Group{Zone: name("example."), Kind: GroupKind(how >> 2 & 1), Servers: []netip.AddrPort{one}}
		n := newNetwork(t, Options{Groups: []Group{g}, PlainCase: how&8 != 0, MaxTasks: 8, MaxServers: 8})
		n.servers[one] = func(q sent) []reply {
			if how&2 != 0 && !q.stream {
				return answering(func(m *dns.Msg) { m.Truncated = true })(q)
			}
			msg := append([]byte(nil), raw...)
			if how&1 == 0 { // make it pass the first checks
				if len(msg) >= wire.HeaderLen {
					wire.SetID(msg, wire.ID(q.raw))
					wire.SetFlags(msg, wire.Flags(msg)&^wire.OpcodeMask|wire.FlagQR)
				}
				if end, ok := dname.Skip(q.raw, wire.HeaderLen); ok && len(msg) >= end+4 {
					copy(msg[wire.HeaderLen:], q.raw[wire.HeaderLen:end+4])
				}
			}
			return []reply{{raw: msg}}
		}
		q := question("www.example.", wire.TypeA)
		q.DO = how&16 != 0
		a, msg := n.resolve(q)
		if a.Failed != (a.Rcode == wire.RcodeServFail) {
			t.Errorf("%+v", a)
		}
		if len(msg.Question) != 1 || msg.Question[0].Name != "www.example." || msg.Question[0].Qtype != dns.TypeA {
			t.Errorf("question %v", msg.Question)
		}
		chain := "www.example."
		for _, rr := range msg.Answer {
			owner := strings.ToLower(rr.Header().Name)
			switch r := rr.(type) {
			case *dns.DNAME:
				if !dns.IsSubDomain(owner, chain) {
					t.Errorf("%v for %s", rr, chain)
				}
			case *dns.CNAME:
				if owner != chain {
					t.Errorf("%v for %s", rr, chain)
				}
				chain = strings.ToLower(r.Target)
			case *dns.A:
				if owner != chain {
					t.Errorf("%v for %s", rr, chain)
				}
			case *dns.RRSIG:
				if !q.DO {
					t.Errorf("%v, which nobody asked for", rr)
				}
			default:
				t.Errorf("%v for an address", rr)
			}
		}
		n.run(10 * time.Second)
		n.idle()
	})
}
