package resolver

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// What was out of reach is asked for again as soon as SetFailureTTL lets it: here the servers of the zone in which the
// servers of another zone are named, after an outage that long failures have made known well.
func TestFailuresAreForgotten(t *testing.T) {
	for _, ttl := range []uint32{1, 5, 60} {
		up := false
		n := world(t, Options{NoIPv6: true}, `
192.0.2.1 .
provider. 3600 NS ns.provider.
ns.provider. 3600 A 192.0.2.2
customer. 3600 NS a.provider.
customer. 3600 NS b.provider.
`)
		n.m.SetFailureTTL(ttl)
		n.servers[addr("192.0.2.2")] = func(q sent) []reply {
			if !up {
				return nil
			}
			if q.msg.Question[0].Qtype != dns.TypeA {
				return answering(aa, "ns: provider. 60 SOA a. b. 1 2 3 4 60")(q)
			}
			return answering(aa, "an: "+asked(q)+" 60 A 192.0.2.3")(q)
		}
		n.servers[addr("192.0.2.3")] = answersAll
		for i := range 60 {
			n.begin(question(fmt.Sprintf("during%d.customer.", i), wire.TypeA), NoWaiter)
			n.run(2 * time.Second)
		}
		up = true
		began := n.now
		for i := 0; ; i++ {
			if a, _ := n.resolve(question(fmt.Sprintf("after%d.customer.", i), wire.TypeA)); !a.Failed {
				break
			}
			n.run(200 * time.Millisecond)
			if n.now-began > 10*time.Minute {
				t.Fatal("never resolved again")
			}
		}
		// Besides, the task that finds out may meet a server that is taken to be down.
		if limit := time.Duration(ttl)*time.Second + 2*time.Second; n.now-began > limit {
			t.Errorf("failures kept for %d s: resolved again after %v", ttl, n.now-began)
		}
		n.idle()
	}
}

func TestFailureTTL(t *testing.T) {
	f := newFailing(1)
	for _, want := range []uint32{5, 5, 5} {
		if got := f.add(7, 0); got != want {
			t.Errorf("by default %d s, want %d", got, want)
		}
	}
	f.clear(7)
	f.most = 300
	for _, want := range []uint32{5, 10, 20, 40, 80, 160, 300, 300} {
		if got := f.add(7, 0); got != want {
			t.Errorf("%d s, want %d", got, want)
		}
	}
}
