package zone_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/zone"
)

// FuzzReply: random zones, one below the other, answer as a plain reading of the RFCs does; with less room the
// response says the same with less, or is truncated; DO changes nothing in unsigned zones.
func FuzzReply(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, size uint8) {
		rng := rand.New(rand.NewPCG(seed, 7))
		texts := []string{randomZone(rng, "t.", int(size%40)), randomZone(rng, "a.t.", int(size%7))}
		if seed%3 == 0 {
			texts = texts[:1]
		}
		var slow []*slowZone
		for _, text := range texts {
			slow = append(slow, parseSlow(t, text))
		}
		s := set(t, texts...)
		for range 40 {
			name, qtype := randomName(rng, "t."), randomTypes[rng.IntN(len(randomTypes))]
			want := slowReply(slow, name, qtype)
			got := ask(t, s, query(t, name, qtype, rng.IntN(2) == 0), 65535)
			if diff := slowDiff(want, got); diff != "" {
				t.Fatalf("%s %s: %s\n%s\nwant %v\ngot %v", name, dns.Type(qtype), diff, strings.Join(texts, "\n"), want, got)
			}
			checkSmaller(t, s, name, qtype, got)
		}
	})
}

func slowDiff(want, got *dns.Msg) string {
	switch {
	case want.Rcode != got.Rcode || want.Authoritative != got.Authoritative:
		return "rcode or AA"
	case !slices.Equal(lines(want.Answer), lines(got.Answer)):
		return "answer"
	case !slices.Equal(lines(want.Ns), lines(got.Ns)):
		return "authority"
	case isReferral(want) && !slices.Equal(lines(want.Extra), lines(got.Extra)):
		return "additional"
	}
	return ""
}

// checkSmaller asks with less and less room.
func checkSmaller(t *testing.T, s *zone.Set, name string, qtype uint16, full *dns.Msg) {
	for limit := 700; limit > 40; limit -= 61 {
		q := query(t, name, qtype, false)
		if limit < len(q.Msg)+1 {
			return
		}
		got := ask(t, s, q, limit)
		switch {
		case subset(got.Answer, full.Answer) || subset(got.Ns, full.Ns) || subset(got.Extra, full.Extra):
			t.Fatalf("limit %d: records that the full response has not\nfull %v\ngot %v", limit, full, got)
		case got.Truncated:
		case len(got.Answer) < len(full.Answer) || len(got.Ns) < len(full.Ns) || missesGlue(full, got):
			t.Fatalf("limit %d: cut without TC\nfull %v\ngot %v", limit, full, got)
		}
	}
}

// subset reports whether some has a record that all has not.
func subset(some, all []dns.RR) bool {
	have := lines(all)
	return slices.ContainsFunc(lines(some), func(l string) bool { return !slices.Contains(have, l) })
}

var randomTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeNS, dns.TypeCNAME, dns.TypeDNAME, dns.TypeMX, dns.TypeDS, dns.TypeSOA}

var randomLabels = []string{"a", "b", "c", "*", "ns", "aVeryLongLabelIndeedSoThatNamesGrowBeyondTheirLimitQuickly01"}

func randomName(rng *rand.Rand, origin string) string {
	name := origin
	for range rng.IntN(5) {
		if label := randomLabels[min(rng.IntN(12)/2, rng.IntN(len(randomLabels)))]; len(name)+len(label) < 250 {
			name = label + "." + name
		}
	}
	return name
}

// randomZone writes a zone of up to n names that other servers would load.
func randomZone(rng *rand.Rand, origin string, n int) string {
	text := fmt.Sprintf("%s 3600 IN SOA ns.%s host.%s 1 2 3 4 %d\n", origin, origin, origin, 100+rng.IntN(9000))
	text += origin + " 300 IN NS ns." + origin + "\n"
	used := map[string]bool{origin: true}
	for range n {
		name := randomName(rng, origin)
		if used[strings.ToLower(name)] {
			continue
		}
		used[strings.ToLower(name)] = true
		add := func(format string, args ...any) {
			text += name + " 300 IN " + fmt.Sprintf(format, args...) + "\n"
		}
		target := randomName(rng, []string{origin, origin, "t.", "x."}[rng.IntN(4)])
		switch rng.IntN(8) {
		case 0:
			add("CNAME %s", target)
		case 1:
			add("DNAME %s", target)
			add("A 192.0.2.%d", rng.IntN(256))
		case 2, 3:
			for i := range 1 + rng.IntN(3) {
				add("NS %s", []string{target, "ns." + name, fmt.Sprintf("ns%d.%s", i, name)}[rng.IntN(3)])
			}
			if rng.IntN(2) == 0 {
				add("DS 1 13 2 00")
			}
			if ns := strings.ToLower("ns." + name); !used[ns] && len(ns) < 250 {
				text += fmt.Sprintf("ns.%s 300 IN A 192.0.2.%d\nns.%s 300 IN AAAA 2001:db8::%d\n", name, rng.IntN(256), name, rng.IntN(10))
				used[ns] = true
			}
		default:
			add("A 192.0.2.%d", rng.IntN(256))
			add("TXT x%d", rng.IntN(256))
			if rng.IntN(2) == 0 {
				add("MX 1 %s", target)
			}
		}
	}
	return text
}

// parseSlow reads a zone by means of miekg/dns.
func parseSlow(t *testing.T, text string) *slowZone {
	z := &slowZone{origin: strings.Fields(text)[0]}
	parser := dns.NewZoneParser(strings.NewReader(text), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		rr.Header().Name = strings.ToLower(rr.Header().Name)
		if !slices.ContainsFunc(z.rrs, func(other dns.RR) bool { return dns.IsDuplicate(rr, other) }) {
			z.rrs = append(z.rrs, rr)
		}
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return z
}
