package lab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func build(t testing.TB) *Internet {
	t.Helper()
	n, err := Build(Zones(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The tables have what the lab promises, and each zone below the top has a question about it.
func TestEverythingIsThere(t *testing.T) {
	algorithms, digests := map[uint8]bool{}, map[uint8]bool{}
	flaws, manners := map[Flaw]bool{}, map[Manner]bool{}
	questions := Questions()
	for _, z := range Zones() {
		algorithms[z.Algorithm], flaws[z.Flaw] = true, true
		for _, d := range z.Digests {
			digests[d] = true
		}
		for _, s := range z.Servers {
			manners[s.Manner] = true
		}
		asked := func(q Question) bool { return strings.HasSuffix(q.Name, z.Name) }
		if !slices.ContainsFunc(questions, asked) && z.Name != "victim.beta." {
			t.Errorf("%s: no question about it", z.Name)
		}
	}
	for _, a := range []uint8{dns.RSASHA256, dns.RSASHA512, dns.ECDSAP256SHA256, dns.ECDSAP384SHA384, dns.ED25519, dns.ED448} {
		if !algorithms[a] {
			t.Errorf("no zone has algorithm %d", a)
		}
	}
	for _, d := range []uint8{dns.SHA1, dns.SHA256, dns.SHA384} {
		if !digests[d] {
			t.Errorf("no zone has digest %d", d)
		}
	}
	for f := Flawless; f <= NoDenial; f++ {
		if !flaws[f] {
			t.Errorf("no zone has flaw %d", f)
		}
	}
	for m := Correct; m <= Truncating; m++ {
		if !manners[m] {
			t.Errorf("no server has manner %d", m)
		}
	}
	for i, q := range questions {
		if slices.ContainsFunc(questions[:i], func(o Question) bool { return o.Name == q.Name && o.Type == q.Type }) {
			t.Errorf("%s %s stands twice", q.Name, dns.TypeToString[q.Type])
		}
	}
}

// All that the library can verify is signed as it should be, or has the flaw that it is said to have.
func TestSignatures(t *testing.T) {
	for _, z := range build(t).zones {
		if a := z.spec.Algorithm; a == 0 || a == dns.ED448 || a == unknownAlgorithm {
			continue
		}
		for set, sigs := range z.sigs {
			rrs := z.nodes[set.owner][set.typ]
			for _, l := range z.chain {
				if h := l.rr.Header(); h.Name == set.owner && h.Rrtype == set.typ {
					rrs = []dns.RR{l.rr}
				}
			}
			s := sigs[0].(*dns.RRSIG)
			verifies := slices.ContainsFunc(z.keys, func(k *key) bool { return s.Verify(k.public, rrs) == nil })
			spoilt := set.typ != dns.TypeDNSKEY && (z.spec.Flaw == WrongKey || z.spec.Flaw == Forged || z.spec.Flaw == KeyTrap)
			if verifies == spoilt {
				t.Errorf("%s %s: verifies: %v", set.owner, dns.TypeToString[set.typ], verifies)
			}
			timely := z.spec.Flaw != Expired && z.spec.Flaw != NotYetValid
			if s.ValidityPeriod(time.Now()) != timely {
				t.Errorf("%s %s: valid now: %v", set.owner, dns.TypeToString[set.typ], !timely)
			}
		}
	}
}

// A chain of NSEC or NSEC3 records is a circle through all that has one, in order.
func TestChains(t *testing.T) {
	for _, z := range build(t).zones {
		for i, l := range z.chain {
			next := z.chain[(i+1)%len(z.chain)]
			if i > 0 && l.owner <= z.chain[i-1].owner {
				t.Errorf("%s: %s is out of order", z.origin, l.rr)
			}
			switch rr := l.rr.(type) {
			case *dns.NSEC:
				if rr.NextDomain != next.rr.Header().Name {
					t.Errorf("%s: %s does not lead to the next", z.origin, rr)
				}
			case *dns.NSEC3:
				if rr.NextDomain != next.owner || !rr.Match(rr.Hdr.Name) && !strings.HasPrefix(rr.Hdr.Name, strings.ToLower(l.owner)) {
					t.Errorf("%s: %s does not lead to the next", z.origin, rr)
				}
			}
		}
		for name := range z.nodes {
			cut := z.cutAbove(name)
			in := (cut == "" || cut == name) && (len(z.nodes[name]) > 0 || z.spec.Denial.NSEC3) &&
				!(z.spec.Denial.OptOut && cut == name && !z.has(name, dns.TypeDS))
			if len(z.chain) > 0 && z.matches(name) != in {
				t.Errorf("%s: %s has a record in the chain: %v", z.origin, name, !in)
			}
		}
	}
}
