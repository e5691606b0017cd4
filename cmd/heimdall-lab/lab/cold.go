package lab

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// MaxCold is the largest number of zones for [Cold]: what one makes and signs within some seconds.
const MaxCold = 100_000

// coldHosts is the number of servers that the zones for [Cold] are spread over.
const coldHosts = 8

// Cold returns a top-level domain with n small zones, of which every second one is signed, half of these with
// NSEC3. Each has the name www, which a resolver that knows the top-level domain finds with a referral, and for a
// signed one with its keys.
func Cold(n int) []Spec {
	if n == 0 {
		return nil
	}
	specs := []Spec{{Name: "cold.", Why: fmt.Sprintf("NSEC3 with opt-out, and %d zones z0.cold. and so on", n), Algorithm: dns.ECDSAP256SHA256,
		Split: true, Denial: Denial{NSEC3: true, OptOut: true}, Servers: make([]Server, 2)}}
	for i := range n {
		s := Spec{Name: coldZone(i), Records: "www A " + coldAddress(i)}
		if i%2 == 0 {
			s.Algorithm, s.Denial.NSEC3 = dns.ECDSAP256SHA256, i%4 == 0
		}
		for j := range 2 {
			s.Servers = append(s.Servers, Server{Host: fmt.Sprintf("h%d.cold.", (i+j*coldHosts/2)%coldHosts)})
		}
		specs = append(specs, s)
	}
	return specs
}

// ColdNames returns a name in each zone of [Cold] with its type and address, one a line.
func ColdNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "www.%s A %s\n", coldZone(i), coldAddress(i))
	}
	return b.String()
}

func coldZone(i int) string { return fmt.Sprintf("z%d.cold.", i) }

// coldAddress returns an address of the network 10.0.0.0/8.
func coldAddress(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) }
