package zone_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/zone"
)

// TestExternalFerret replays the cases of the FerretDataset (SCALE, NSDI'22) in the folder that HEIMDALL_FERRET
// names: one zone and one query each, with what BIND, Knot, NSD and PowerDNS answered. At least three of
// them must agree on what is compared.
func TestExternalFerret(t *testing.T) {
	folder := os.Getenv("HEIMDALL_FERRET")
	if folder == "" {
		t.Skip("HEIMDALL_FERRET names no checkout of github.com/dns-groot/FerretDataset")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "ValidZoneFileTests/ExpectedResponses/*.json"))
	if len(files) == 0 {
		t.Fatalf("no cases under %s", folder)
	}
	judged, passed := 0, 0
	for _, file := range files {
		id := strings.TrimSuffix(filepath.Base(file), ".json")
		text, err := os.ReadFile(filepath.Join(folder, "ValidZoneFileTests/ZoneFiles", id+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range ferretCases(t, file) {
			z, problems := load(t, ferretOrigin(string(text)), strings.NewReader(string(text)), zone.Options{Checks: true})
			if z == nil {
				t.Errorf("case %s: %v\n%s", id, problems, text)
				continue
			}
			got := ask(t, zone.NewSet([]*zone.Zone{z}), query(t, c.name, c.qtype, false), 65535)
			if c.want == nil {
				continue
			}
			judged++
			if got == nil || ferretFacts(got) != ferretFacts(c.want) || missesGlue(c.want, got) {
				t.Errorf("case %s: %s %s\n%s\nwant %v\ngot %v", id, c.name, dns.Type(c.qtype), text, c.want, got)
				continue
			}
			passed++
		}
	}
	t.Logf("%d of %d judged cases passed", passed, judged)
}

type ferretCase struct {
	name  string
	qtype uint16
	want  *dns.Msg // nil: nobody agrees
}

func ferretCases(t *testing.T, file string) (cases []ferretCase) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		Query     struct{ Name, Type string }
		Responses []struct {
			Servers  string `json:"Server/s"`
			Response []string
		} `json:"Expected Response"`
	}
	if err := json.Unmarshal(raw, &entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		c := ferretCase{name: e.Query.Name, qtype: dns.StringToType[e.Query.Type]}
		votes := map[string]int{}
		for _, r := range e.Responses {
			m := parseFerret(t, r.Response)
			facts := ferretFacts(m)
			if votes[facts] += len(strings.Fields(r.Servers)); votes[facts] >= 3 && !loops(m) {
				c.want = m
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// parseFerret reads a response in dnspython's text form.
func parseFerret(t *testing.T, lines []string) *dns.Msg {
	m, section := new(dns.Msg), (*[]dns.RR)(nil)
	for _, l := range lines {
		f := strings.Fields(l)
		switch {
		case f[0] == ";ANSWER":
			section = &m.Answer
		case f[0] == ";AUTHORITY":
			section = &m.Ns
		case f[0] == ";ADDITIONAL":
			section = &m.Extra
		case f[0] == "rcode":
			m.Rcode = dns.StringToRcode[f[1]]
		case f[0] == "flags":
			m.Authoritative = slices.Contains(f, "AA")
		case section != nil && len(f) > 4:
			rr, err := dns.NewRR(l)
			if err != nil {
				t.Fatal(err)
			}
			*section = append(*section, rr)
		}
	}
	return m
}

// ferretOrigin returns the owner of the SOA record.
func ferretOrigin(text string) string {
	for l := range strings.Lines(text) {
		if f := strings.Fields(l); len(f) > 3 && f[3] == "SOA" {
			return f[0]
		}
	}
	return "."
}

// ferretFacts is what is compared: rcode, AA, the answer as a set, the order of its chain, the NS records of
// a referral, the SOA record of everything else.
func ferretFacts(m *dns.Msg) string {
	var chain []string
	for _, rr := range m.Answer {
		if t := rr.Header().Rrtype; t == dns.TypeCNAME || t == dns.TypeDNAME {
			chain = append(chain, canonical(rr))
		}
	}
	authority := lines(ofType(m.Ns, dns.TypeSOA))
	if isReferral(m) {
		authority = append(authority, lines(ofType(m.Ns, dns.TypeNS))...)
	}
	return fmt.Sprintf("%d %v %q %q %q", m.Rcode, m.Authoritative, lines(m.Answer), chain, authority)
}

// missesGlue reports whether got, a referral, lacks glue at or below the cut that want has.
func missesGlue(want, got *dns.Msg) bool {
	if !isReferral(want) || got.Truncated {
		return false
	}
	cut := ofType(want.Ns, dns.TypeNS)[0].Header().Name
	have := lines(got.Extra)
	for _, rr := range want.Extra {
		if dns.IsSubDomain(cut, rr.Header().Name) && !slices.Contains(have, canonical(rr)) {
			return true
		}
	}
	return false
}

func isReferral(m *dns.Msg) bool {
	return !m.Authoritative && len(m.Answer) == 0 && len(ofType(m.Ns, dns.TypeNS)) > 0
}

// loops reports whether a chain comes back to a name it has left.
func loops(m *dns.Msg) bool {
	left := map[string]bool{}
	for _, rr := range m.Answer {
		if c, ok := rr.(*dns.CNAME); ok {
			left[dns.CanonicalName(c.Hdr.Name)] = true
			if left[dns.CanonicalName(c.Target)] {
				return true
			}
		}
	}
	return false
}

func ofType(rrs []dns.RR, t uint16) (some []dns.RR) {
	for _, rr := range rrs {
		if rr.Header().Rrtype == t {
			some = append(some, rr)
		}
	}
	return some
}

// canonical is a record as text in lower case, the same for the same record.
func canonical(rr dns.RR) string {
	return strings.ToLower(strings.Join(strings.Fields(rr.String()), " "))
}

// lines are the different records of a section in order.
func lines(rrs []dns.RR) []string {
	var list []string
	for _, rr := range rrs {
		list = append(list, canonical(rr))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
