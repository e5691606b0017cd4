package resolver

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
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
		g := Group{Zone: dnametest.Name("example."), Kind: GroupKind(how >> 2 & 1), Servers: []netip.AddrPort{one}}
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

// FuzzIterate lets every server of a tree, the root's included, answer with one of two hostile messages.
//
// Law: no panic; each question ends in time; the queries for it are bounded; nothing is left in use, and
// nothing is sent to loopback addresses.
func FuzzIterate(f *testing.F) {
	seed := func(records ...string) []byte {
		q := new(dns.Msg).SetQuestion("www.example.", dns.TypeA)
		m := answering(func(m *dns.Msg) { m.RecursionAvailable = false }, records...)(sent{msg: q})[0].msg
		raw, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		return raw
	}
	down := seed("ns: example. 1 NS a.example.", "ar: a.example. 1 A 192.0.2.7")
	for _, second := range [][]byte{
		seed(good), seed("an: www.example. 1 CNAME x.test."), seed("an: example. 1 DNAME www.example."),
		seed("ns: www.example. 1 NS b.test.", "ns: www.example. 1 NS a.b.test."), seed("ns: example. 1 NS a.example."),
		seed("ns: example. 1 SOA a. b. 1 2 3 4 5"), seed("ns: www.example. 1 NS www.example.", "ar: www.example. 1 A 127.0.0.1"), nil,
	} {
		f.Add(down, second, uint64(0x5A5A))
		f.Add(second, down, uint64(0x12345))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, which uint64) {
		n := newNetwork(t, Options{Recursion: true, RootHints: []Hint{{dnametest.Name("a.root."), one.Addr()}}, MaxTasks: 64, MaxServers: 16, Memory: make([]byte, 1<<18), NoIPv6: which&1 != 0, AnyGlue: which&2 != 0})
		n.fallback = func(q sent) []reply {
			if q.to.Addr().IsLoopback() {
				t.Errorf("asked %v", q.to)
			}
			which = which>>1 | which<<63
			if which&7 == 0 {
				return nil
			}
			msg := append([]byte(nil), a...)
			if which&1 != 0 {
				msg = append([]byte(nil), b...)
			}
			if len(msg) >= wire.HeaderLen {
				wire.SetID(msg, wire.ID(q.raw))
				wire.SetFlags(msg, wire.Flags(msg)&^wire.OpcodeMask|wire.FlagQR)
			}
			if end, ok := dname.Skip(q.raw, wire.HeaderLen); ok && which&8 == 0 {
				if old, ok := dname.Skip(msg, min(wire.HeaderLen, len(msg))); ok && len(msg) >= old+4 {
					msg = append(append(append([]byte(nil), msg[:wire.HeaderLen]...), q.raw[wire.HeaderLen:end+4]...), msg[old+4:]...)
				}
			}
			return []reply{{raw: msg}}
		}
		for _, qname := range []string{"www.example.", "x.y.example.", "www.example."} {
			n.resolve(question(qname, wire.TypeA))
		}
		n.idle()
		if len(n.log) > 3*(maxTotal+maxQueries) {
			t.Errorf("%d queries", len(n.log))
		}
	})
}
