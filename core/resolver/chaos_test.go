package resolver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// Thousands of questions run through small pools while servers lose, delay, repeat, truncate and refuse,
// sends fail, and groups change. Whatever happens, each waiter hears exactly once, in time, and nothing
// is left in use.
func TestChaos(t *testing.T) {
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		n := withGlueless(world(t, Options{NoIPv6: seed&1 != 0, MaxTasks: 16, MaxWaiters: 24, MaxServers: 4, Memory: make([]byte, 1<<17)}, internet))
		for at, server := range n.servers {
			n.servers[at] = func(q sent) []reply {
				r := server(q)
				switch rnd.IntN(10) {
				case 0:
					return nil
				case 1:
					r[0].after = time.Duration(rnd.IntN(6000)) * time.Millisecond
				case 2:
					r = append(r, r...)
				case 3:
					r[0].msg = new(dns.Msg).SetRcode(q.msg, rnd.IntN(6))
				case 4:
					r[0].msg.Truncated = true
				case 5:
					r[0].from = two
				case 6:
					if q.stream {
						r[0].err = errRefused
					}
				}
				return r
			}
		}
		n.unsent = func(Action) Obstacle { return [30]Obstacle{NoRoute, Forbidden, Busy}[rnd.IntN(30)] }
		groups := []Group{{Zone: dnametest.Name("example.test."), Kind: Stub, Servers: []netip.AddrPort{addr("192.0.2.4")}}, {Zone: dnametest.Name("other."), Kind: Forward, Servers: []netip.AddrPort{three, addr("192.0.2.3")}}}
		names := []string{"www.example.test.", "alias.example.test.", "loop.example.test.", "www.glueless.test.", "ns.hosts.other.", "x%d.example.test.", "x%d.glueless.test.", "a.b.c%d.other.", "x%d."}
		began := map[uint32]time.Duration{}
		for w := range uint32(2000) {
			qname := names[rnd.IntN(len(names))]
			if len(qname) > 1 && rnd.IntN(4) > 0 {
				qname = fmt.Sprintf(qname, rnd.IntN(40))
				qname, _, _ = cutExtra(qname)
			} else {
				qname = "www.example.test."
			}
			q := question(qname, []wire.Type{wire.TypeA, wire.TypeAAAA, wire.TypeNS, wire.TypeDS, wire.TypeANY}[rnd.IntN(5)])
			q.DO = rnd.IntN(2) == 0
			if s := n.begin(q, w); s == Started || s == Joined {
				began[w] = n.now
			}
			switch rnd.IntN(50) {
			case 0:
				n.m.Reconfigure(groups[:rnd.IntN(3)])
			case 1:
				n.m.Flush(dnametest.Name("test."), rnd.IntN(2) == 0)
			case 2:
				noise := make([]byte, rnd.IntN(60))
				for i := range noise {
					noise[i] = byte(rnd.Uint32())
				}
				n.m.Receive(int64(n.now), uint16(rnd.IntN(9)), addr("192.0.2.4"), noise)
				n.m.Fire(int64(n.now), rnd.Uint64()&^(1<<31))
				n.m.ReceiveStream(int64(n.now), uint64(rnd.IntN(100))|uint64(rnd.IntN(100))<<32, noise, nil)
				n.perform()
			case 3:
				n.run(time.Duration(rnd.IntN(10000)) * time.Millisecond)
			}
			n.run(time.Duration(rnd.IntN(4)) * time.Millisecond)
			for id, at := range began {
				if _, done := n.answers[id]; done {
					delete(began, id)
				} else if n.now-at > 5*time.Second {
					t.Fatalf("seed %d: waiter %d waits for %v", seed, id, n.now-at)
				}
			}
		}
		n.idle()
		for id := range began {
			if _, done := n.answers[id]; !done {
				t.Errorf("seed %d: waiter %d never heard", seed, id)
			}
		}
		if s := n.m.Stats(); s.Answered == 0 || s.Failed == 0 || s.Full == 0 || s.Evicted == 0 {
			t.Errorf("seed %d: %+v", seed, s)
		}
	}
}

// cutExtra takes off what Sprintf adds when a name has no verb.
func cutExtra(s string) (string, string, bool) {
	for i := range s {
		if s[i] == '%' {
			return s[:i], s[i:], true
		}
	}
	return s, "", false
}
