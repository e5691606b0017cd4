package zone_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/zone"
)

// TestExternalPeer compares responses with those of another server, at the address that HEIMDALL_PEER names, which
// serves the zone HEIMDALL_ORIGIN from the master file HEIMDALL_ZONE. Asked are all names of the zone, their
// neighbours, and random names below them, with and without DO. Compared are rcode, AA, the answer section,
// and the authority section: an NS, DS or SOA RRset, and the proofs.
func TestExternalPeer(t *testing.T) {
	peer, origin := os.Getenv("HEIMDALL_PEER"), os.Getenv("HEIMDALL_ORIGIN")
	if peer == "" {
		t.Skip("HEIMDALL_PEER names no server")
	}
	file, err := os.Open(os.Getenv("HEIMDALL_ZONE"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, problems := load(t, origin, file, zone.Options{Checks: true})
	t.Log(problems)
	if z == nil {
		t.FailNow()
	}
	s := zone.NewSet([]*zone.Zone{z})
	conn, err := net.Dial("tcp", peer)
	if err != nil {
		t.Fatal(err)
	}
	c := &dns.Conn{Conn: conn}
	asked, failed := 0, 0
	for _, name := range peerNames(z) {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeTXT, dns.TypeNS, dns.TypeDS, dns.TypeCNAME, dns.TypeSOA, dns.TypeMX,
			dns.TypeDNAME, dns.TypeNSEC, dns.TypeDNSKEY, dns.TypeSRV, dns.TypeAAAA} {
			for _, do := range []bool{false, true} {
				q := query(t, name, qtype, do)
				c.SetDeadline(time.Now().Add(5 * time.Second))
				if _, err := c.Write(q.Msg); err != nil {
					t.Fatal(err)
				}
				want, err := c.ReadMsg()
				if err != nil {
					t.Fatal(err)
				}
				got := ask(t, s, q, 65535)
				asked++
				if diff := peerDiff(want, got); diff != "" {
					if failed++; failed <= 20 {
						t.Errorf("%s %s do=%v: %s", name, dns.Type(qtype), do, diff)
					}
				}
			}
		}
	}
	t.Logf("asked %d, %d differ", asked, failed)
	if failed > 0 {
		t.Fail()
	}
}

// peerNames lists what to ask for.
func peerNames(z *zone.Zone) []string {
	seen := map[string]bool{}
	add := func(n string) {
		if len(n) < 250 {
			seen[strings.ToLower(n)] = true
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	z.Each(func(r *zone.Record) bool {
		n := r.Owner.String()
		for n != "." && strings.HasSuffix(n, strings.TrimPrefix(z.Origin().String(), ".")) {
			add(n)
			if n == z.Origin().String() {
				break
			}
			n = n[strings.Index(n, ".")+1:]
		}
		n = r.Owner.String()
		add("*." + n)
		add("0." + n)
		add(fmt.Sprintf("r%d.%s", rng.IntN(1000), n))
		add(fmt.Sprintf("a.r%d.%s", rng.IntN(1000), n))
		if n != z.Origin().String() {
			label, rest, _ := strings.Cut(n, ".")
			add(label + "0." + rest)
			add(label[:len(label)-1] + string(label[len(label)-1]-1) + "." + rest)
			add("zz" + label + "." + rest)
		}
		return true
	})
	var list []string
	for n := range seen {
		if _, ok := dns.IsDomainName(n); ok {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}

func peerDiff(want, got *dns.Msg) string {
	var diffs strings.Builder
	if want.Rcode != got.Rcode || want.Authoritative != got.Authoritative {
		fmt.Fprintf(&diffs, "\nwant rcode %d AA %v, got %d %v", want.Rcode, want.Authoritative, got.Rcode, got.Authoritative)
	}
	compare := func(section string, want, got []dns.RR) {
		for _, l := range lines(want) {
			if !slices.Contains(lines(got), l) {
				fmt.Fprintf(&diffs, "\n%s lacks: %s", section, l)
			}
		}
		for _, l := range lines(got) {
			if !slices.Contains(lines(want), l) {
				fmt.Fprintf(&diffs, "\n%s should not have: %s", section, l)
			}
		}
	}
	compare("answer", want.Answer, got.Answer)
	// Knot takes an NSEC record that it put into the answer under the name of a wildcard's expansion for the
	// proof as well.
	if want.Question[0].Qtype != dns.TypeNSEC {
		compare("authority", want.Ns, got.Ns)
	}
	if os.Getenv("HEIMDALL_ADDITIONAL") != "" {
		compare("additional", notOPT(want.Extra), got.Extra)
	}
	return diffs.String()
}

func notOPT(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
}
