package local

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// unboundZones is what `unbound-control list_local_zones` of Unbound 1.17.1 lists, ranges of reverse zones
// drawn together.
func unboundZones() []string {
	zones := strings.Fields(`localhost. test. onion. invalid. home.arpa.
		0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.
		1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.
		8.b.d.0.1.0.0.2.ip6.arpa. d.f.ip6.arpa. 8.e.f.ip6.arpa. 9.e.f.ip6.arpa. a.e.f.ip6.arpa. b.e.f.ip6.arpa.
		0.in-addr.arpa. 10.in-addr.arpa. 127.in-addr.arpa. 254.169.in-addr.arpa. 2.0.192.in-addr.arpa.
		168.192.in-addr.arpa. 100.51.198.in-addr.arpa. 113.0.203.in-addr.arpa. 255.255.255.255.in-addr.arpa.`)
	for i := 64; i <= 127; i++ {
		zones = append(zones, fmt.Sprintf("%d.100.in-addr.arpa.", i))
	}
	for i := 16; i <= 31; i++ {
		zones = append(zones, fmt.Sprintf("%d.172.in-addr.arpa.", i))
	}
	return zones
}

// slowTable is the special part of Table told with strings.
type slowTable struct {
	zones      []string // special
	configured []string
}

// answer is a response without its question.
type answer struct {
	found   bool
	rcode   int
	answers string // one record, or nothing
	ns      string
}

func (s *slowTable) lookup(name string, qtype uint16) answer {
	name = strings.ToLower(name)
	zone := ""
	for _, z := range append(slices.Clone(s.zones), s.configured...) {
		if dns.IsSubDomain(z, name) && len(z) > len(zone) && !(qtype == dns.TypeDS && z == name) {
			zone = z
		}
	}
	if zone == "" || slices.Contains(s.configured, zone) {
		return answer{}
	}
	records := []string{
		zone + " 10800 IN SOA localhost. nobody.invalid. 1 3600 1200 604800 10800",
		zone + " 10800 IN NS localhost.",
	}
	switch {
	case zone == "localhost.":
		records = append(records, name+" 10800 IN A 127.0.0.1", name+" 10800 IN AAAA ::1")
	case zone == "127.in-addr.arpa.":
		records = append(records, "1.0.0.127.in-addr.arpa. 10800 IN PTR localhost.")
	case strings.HasPrefix(zone, "1.0"):
		records = append(records, zone+" 10800 IN PTR localhost.")
	}
	exists := false
	for _, z := range s.configured {
		exists = exists || dns.IsSubDomain(name, z) && dns.IsSubDomain(zone, z)
	}
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		exists = exists || dns.IsSubDomain(name, rr.Header().Name)
		if rr.Header().Name == name && (rr.Header().Rrtype == qtype || qtype == dns.TypeANY) {
			return answer{found: true, answers: rr.String()}
		}
	}
	soa, _ := dns.NewRR(records[0])
	a := answer{found: true, ns: soa.String()}
	if !exists {
		a.rcode = dns.RcodeNameError
	}
	return a
}
