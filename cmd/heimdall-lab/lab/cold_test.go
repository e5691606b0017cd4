package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Each zone for Cold is one referral away from its top-level domain, signed or not as it says, and has its name.
func TestCold(t *testing.T) {
	const n = 40
	net, err := Build(append(Zones()[:1], Cold(n)...), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSpace(ColdNames(n)), "\n")
	if len(names) != n || len(net.servers) > 2+2+coldHosts {
		t.Fatalf("%d names, %d servers", len(names), len(net.servers))
	}
	top := net.origins["cold."]
	for i, line := range names {
		f := strings.Fields(line)
		q := new(dns.Msg).SetQuestion(f[0], dns.TypeA)
		r := new(dns.Msg).SetReply(q)
		top.answer(r, true)
		if r.Authoritative || len(r.Answer) > 0 || len(r.Extra) != 2 {
			t.Errorf("%s: cold. does not refer: %v", f[0], r)
		}
		hasDS := false
		for _, rr := range r.Ns {
			_, ds := rr.(*dns.DS)
			hasDS = hasDS || ds
		}
		if hasDS != (i%2 == 0) {
			t.Errorf("%s: DS records: %v", f[0], hasDS)
		}
		host := r.Extra[0].Header().Name
		zone := net.hosts[host].zoneFor(&q.Question[0])
		r = new(dns.Msg).SetReply(q)
		zone.answer(r, true)
		if len(r.Answer) == 0 || r.Answer[0].(*dns.A).A.String() != f[2] || (len(r.Answer) == 2) != hasDS {
			t.Errorf("%s at %s: %v", f[0], host, r)
		}
	}
}
