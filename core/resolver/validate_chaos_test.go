package resolver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// Thousands of questions run through small pools while servers lie, drop and strip, while jobs are refused, late or
// lost. Whatever happens, each waiter hears exactly once, nothing false is ever marked as authentic or given out
// for a signed zone, and nothing is left in use.
func TestValidationChaos(t *testing.T) {
	for seed := range uint64(4) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		w := newSignedWorld(t, func(o *Options) {
			o.MaxTasks, o.MaxWaiters, o.MaxServers, o.Memory = 24, 40, 6, make([]byte, 1<<17)
		})
		w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
			switch rnd.IntN(24) {
			case 0:
				spoil(r)
			case 1:
				r.Answer, r.Ns = unsigned(r.Answer), unsigned(r.Ns)
			case 2:
				r.Rcode = dns.RcodeServerFailure
			case 3:
				r.Ns = nil
			case 4:
				r.Ns = slicesWithout(r.Ns, dns.TypeDS)
			case 5:
				r.Rcode = dns.RcodeNameError
			case 6:
				r.Truncated = true
			}
		}
		names := []string{"www.example.test.", "alias.example.test.", "leaves.example.test.", "www.plain.test.", "enters.plain.test.",
			"x%d.wild.example.test.", "x%d.walias.example.test.", "x%d.old.example.test.", "n%d.example.test.", "n%d.plain.test.", "n%d."}
		asked := map[uint32]string{}
		for id := range uint32(1500) {
			qname := names[rnd.IntN(len(names))]
			if strings.Contains(qname, "%d") {
				qname = fmt.Sprintf(qname, rnd.IntN(30))
			}
			q := question(qname, []wire.Type{wire.TypeA, wire.TypeA, wire.TypeTXT, wire.TypeDS, wire.TypeDNSKEY, wire.TypeANY}[rnd.IntN(6)])
			q.DO, q.CD = rnd.IntN(2) == 0, rnd.IntN(8) == 0
			if s := w.begin(q, id); s == Started || s == Joined {
				asked[id] = qname
				if q.CD {
					asked[id] = ""
				}
			}
			w.busy, w.hold = rnd.IntN(30) == 0, rnd.IntN(30) == 0
			if n := len(w.held); n > 0 && rnd.IntN(2) == 0 {
				late := w.held[n-1]
				w.held = w.held[:n-1]
				late.Job.Run(w.wall, nil, nil)
				w.m.Verified(int64(w.now), late.Ref, late.Job)
				w.perform()
			}
			switch rnd.IntN(60) {
			case 0:
				w.m.Flush(dnametest.Name("test."), rnd.IntN(2) == 0)
			case 1:
				w.run(time.Duration(rnd.IntN(400)) * time.Second)
			}
			w.run(time.Duration(rnd.IntN(40)) * time.Millisecond)
		}
		w.busy, w.hold = false, false
		for _, late := range w.held {
			w.m.Verified(int64(w.now), late.Ref, late.Job)
			w.perform()
		}
		w.run(time.Minute)
		right, failed := 0, 0
		for id, qname := range asked {
			a, ok := w.answers[id]
			if !ok {
				t.Fatalf("seed %d: %s: no answer", seed, qname)
			}
			m := new(dns.Msg)
			if err := m.Unpack(a.Msg); err != nil {
				t.Fatal(err)
			}
			forged := strings.Contains(lines(m.Answer), "203.0.113.66")
			if a.AD && (forged || qname == "" || strings.Contains(qname, "plain.")) {
				t.Errorf("seed %d: %s is marked as authentic: %s", seed, qname, lines(m.Answer))
			}
			if forged && strings.HasSuffix(qname, "example.test.") && !strings.HasPrefix(qname, "leaves.") {
				t.Errorf("seed %d: %s: %s", seed, qname, lines(m.Answer))
			}
			if qname == "www.example.test." && m.Rcode == dns.RcodeNameError {
				t.Errorf("seed %d: %s is said not to exist", seed, qname)
			}
			if a.AD {
				right++
			} else if m.Rcode == dns.RcodeServerFailure {
				failed++
			}
		}
		if right < len(asked)/5 {
			t.Errorf("seed %d: of %d questions %d are authentic, %d failed", seed, len(asked), right, failed)
		}
		t.Logf("seed %d: of %d questions %d are authentic, %d failed", seed, len(asked), right, failed)
		w.idle()
	}
}
