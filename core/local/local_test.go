package local

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

func query(t testing.TB, name string, qtype, class uint16) *wire.Query {
	t.Helper()
	m := new(dns.Msg)
	m.Id = 4711
	m.RecursionDesired = true
	m.Question = []dns.Question{{Name: name, Qtype: qtype, Qclass: class}}
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	q := new(wire.Query)
	if v := q.Parse(msg); v != wire.QueryOK {
		t.Fatalf("%s: query is %v", name, v)
	}
	return q
}

// reply builds the response to q and has miekg/dns read it.
func reply(t testing.TB, v Verdict, q *wire.Query) *dns.Msg {
	t.Helper()
	msg := v.AppendReply([]byte("before"), q, wire.FlagRD|wire.FlagRA)[len("before"):]
	if len(msg) > 340 {
		t.Errorf("%d octets", len(msg))
	}
	m := new(dns.Msg)
	if err := m.Unpack(msg); err != nil {
		t.Fatalf("unpack response: %v", err)
	}
	if !m.Response || m.Id != q.ID || !m.RecursionDesired || !m.RecursionAvailable || m.Truncated {
		t.Errorf("header %+v", m.MsgHdr)
	}
	want := dns.Question{Qtype: uint16(q.Type), Qclass: uint16(q.Class)}
	want.Name, _, _ = dns.UnpackDomainName(q.Name, 0)
	if len(m.Question) != 1 || m.Question[0] != want {
		t.Errorf("question %v, want %v", m.Question, want)
	}
	return m
}

func ask(t testing.TB, table *Table, name string, qtype, class uint16) answer {
	t.Helper()
	q := query(t, name, qtype, class)
	v := table.Lookup(q)
	if !v.Found() {
		return answer{}
	}
	m := reply(t, v, q)
	a := answer{found: true, rcode: m.Rcode}
	if m.Rcode != int(v.Rcode()) || len(m.Answer)+len(m.Ns) != 1 || len(m.Extra) != 0 {
		t.Fatalf("%s: response %v", name, m)
	}
	if m.Authoritative != v.authoritative {
		t.Errorf("%s: AA is %v", name, m.Authoritative)
	}
	// Owners point into the question and so have the client's letter case.
	for _, rr := range m.Answer {
		rr.Header().Name = strings.ToLower(rr.Header().Name)
		a.answers = rr.String()
	}
	for _, rr := range m.Ns {
		rr.Header().Name = strings.ToLower(rr.Header().Name)
		a.ns = rr.String()
	}
	return a
}

func names(texts ...string) (all []dname.Name) {
	for _, s := range texts {
		all = append(all, parseName(s))
	}
	return all
}

func TestSpecialNames(t *testing.T) {
	table := NewTable(Options{SpecialNames: true})
	const tail = "\t10800\tIN\tSOA\tlocalhost. nobody.invalid. 1 3600 1200 604800 10800"
	for _, c := range []struct {
		name  string
		qtype uint16
		want  answer
	}{
		{"localhost.", dns.TypeA, answer{found: true, answers: "localhost.\t10800\tIN\tA\t127.0.0.1"}},
		{"LocalHost.", dns.TypeAAAA, answer{found: true, answers: "localhost.\t10800\tIN\tAAAA\t::1"}},
		{"db.localhost.", dns.TypeA, answer{found: true, answers: "db.localhost.\t10800\tIN\tA\t127.0.0.1"}},
		{"localhost.", dns.TypeMX, answer{found: true, ns: "localhost." + tail}},
		{"db.localhost.", dns.TypeSOA, answer{found: true, ns: "localhost." + tail}},
		{"localhost.", dns.TypeDS, answer{}},
		{"db.localhost.", dns.TypeDS, answer{found: true, ns: "localhost." + tail}},
		{"localhost.", dns.TypeANY, answer{found: true, answers: "localhost." + tail}},
		{"invalid.", dns.TypeA, answer{found: true, ns: "invalid." + tail}},
		{"a.b.invalid.", dns.TypeA, answer{found: true, rcode: dns.RcodeNameError, ns: "invalid." + tail}},
		{"a.b.invalid.", dns.TypeDS, answer{found: true, rcode: dns.RcodeNameError, ns: "invalid." + tail}},
		{"x.TEST.", dns.TypeTXT, answer{found: true, rcode: dns.RcodeNameError, ns: "test." + tail}},
		{"duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion.", dns.TypeHTTPS,
			answer{found: true, rcode: dns.RcodeNameError, ns: "onion." + tail}},
		{"home.arpa.", dns.TypeDS, answer{}},
		{"printer.home.arpa.", dns.TypeA, answer{found: true, rcode: dns.RcodeNameError, ns: "home.arpa." + tail}},
		{"1.0.0.127.in-addr.arpa.", dns.TypePTR, answer{found: true, answers: "1.0.0.127.in-addr.arpa.\t10800\tIN\tPTR\tlocalhost."}},
		{"0.0.127.in-addr.arpa.", dns.TypePTR, answer{found: true, ns: "127.in-addr.arpa." + tail}},
		{"2.0.0.127.in-addr.arpa.", dns.TypePTR, answer{found: true, rcode: dns.RcodeNameError, ns: "127.in-addr.arpa." + tail}},
		{"1.1.168.192.in-addr.arpa.", dns.TypePTR, answer{found: true, rcode: dns.RcodeNameError, ns: "168.192.in-addr.arpa." + tail}},
		{"1.0.32.172.in-addr.arpa.", dns.TypePTR, answer{}},
		{"8.8.8.8.in-addr.arpa.", dns.TypePTR, answer{}},
		{"in-addr.arpa.", dns.TypeNS, answer{}},
		{"arpa.", dns.TypeSOA, answer{}},
		{"example.", dns.TypeA, answer{}},
		{"local.", dns.TypeA, answer{}},
		{"xtest.", dns.TypeA, answer{}},
		{"te\\115t.", dns.TypeSOA, answer{found: true, answers: "test." + tail}}, // \115 is s
		{"tes\\084.", dns.TypeA, answer{found: true, ns: "test." + tail}},        // \084 is T
		{"tes\\020.", dns.TypeA, answer{}},                                       // T without the bits of a letter
		{".", dns.TypeNS, answer{}},
	} {
		if got := ask(t, table, c.name, c.qtype, dns.ClassINET); got != c.want {
			t.Errorf("%s %s: %+v, want %+v", c.name, dns.TypeToString[c.qtype], got, c.want)
		}
	}
	if v := NewTable(Options{}).Lookup(query(t, "localhost.", dns.TypeA, dns.ClassINET)); v.Found() {
		t.Error("special name is answered though that is switched off")
	}
}

func TestConfiguredZonesOverride(t *testing.T) {
	table := NewTable(Options{SpecialNames: true, Zones: names(".", "Corp.Test.", "a.b.home.arpa.", "10.in-addr.arpa.",
		"arpa.", "example.com.", "db.localhost.")})
	for _, c := range []struct {
		name  string
		qtype uint16
		found bool
		rcode int
	}{
		{"corp.test.", dns.TypeA, false, 0},
		{"www.corp.TEST.", dns.TypeA, false, 0},
		{"corp.test.", dns.TypeDS, true, dns.RcodeSuccess}, // the parent is still special
		{"www.corp.test.", dns.TypeDS, false, 0},
		{"test.", dns.TypeA, true, dns.RcodeSuccess},
		{"corp2.test.", dns.TypeA, true, dns.RcodeNameError},
		{"b.home.arpa.", dns.TypeA, true, dns.RcodeSuccess}, // an empty non-terminal
		{"c.home.arpa.", dns.TypeA, true, dns.RcodeNameError},
		{"x.a.b.home.arpa.", dns.TypeA, false, 0},
		{"10.in-addr.arpa.", dns.TypeNS, false, 0},
		{"1.2.3.10.in-addr.arpa.", dns.TypePTR, false, 0},
		{"1.1.168.192.in-addr.arpa.", dns.TypePTR, true, dns.RcodeNameError}, // arpa. lies above
		{"x.db.localhost.", dns.TypeA, false, 0},
		{"localhost.", dns.TypeA, true, dns.RcodeSuccess},
		{"invalid.", dns.TypeA, true, dns.RcodeSuccess},
	} {
		got := ask(t, table, c.name, c.qtype, dns.ClassINET)
		if got.found != c.found || got.rcode != c.rcode {
			t.Errorf("%s %s: %+v", c.name, dns.TypeToString[c.qtype], got)
		}
	}
}

func TestChaos(t *testing.T) {
	table := NewTable(Options{Version: "Heimdall", Identity: strings.Repeat("x", 300)})
	for name, want := range map[string]string{
		"version.bind.":   "version.bind.\t0\tCH\tTXT\t\"Heimdall\"",
		"Version.Server.": "version.server.\t0\tCH\tTXT\t\"Heimdall\"",
		"id.server.":      "id.server.\t0\tCH\tTXT\t\"" + strings.Repeat("x", 255) + "\"",
		"hostname.bind.":  "",
		"authors.bind.":   "",
	} {
		for _, qtype := range []uint16{dns.TypeTXT, dns.TypeANY} {
			if got := ask(t, table, name, qtype, dns.ClassCHAOS); got.answers != want || got.found != (want != "") {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if ask(t, table, name, dns.TypeA, dns.ClassCHAOS).found {
			t.Errorf("%s A is answered", name)
		}
		if ask(t, table, name, dns.TypeTXT, dns.ClassINET).found {
			t.Errorf("%s is answered in class IN", name)
		}
	}
	if ask(t, table, "localhost.", dns.TypeA, dns.ClassHESIOD).found {
		t.Error("class HS is answered")
	}
}

func TestANY(t *testing.T) {
	table := NewTable(Options{SpecialNames: true, MinimalANY: true, Zones: names("corp.test.")})
	hinfo := func(name string) answer {
		return answer{found: true, answers: name + "\t3600\tIN\tHINFO\t\"RFC8482\" \"\""}
	}
	for name, aa := range map[string]bool{"example.com.": false, "corp.test.": false, "localhost.": true, ".": false} {
		if got := ask(t, table, name, dns.TypeANY, dns.ClassINET); got != hinfo(name) {
			t.Errorf("%s: %+v", name, got)
		}
		if v := table.Lookup(query(t, name, dns.TypeANY, dns.ClassINET)); v.authoritative != aa {
			t.Errorf("%s: AA is %v", name, v.authoritative)
		}
	}
	if got := ask(t, table, "x.invalid.", dns.TypeANY, dns.ClassINET); got.rcode != dns.RcodeNameError {
		t.Errorf("ANY of a name that does not exist: %+v", got)
	}
	if NewTable(Options{}).Lookup(query(t, "example.com.", dns.TypeANY, dns.ClassINET)).Found() {
		t.Error("ANY is answered though that is switched off")
	}
}

func TestZonesAreUnbounds(t *testing.T) {
	var ours []string
	for _, z := range specialZones {
		ours = append(ours, z.name)
	}
	slices.Sort(ours)
	want := unboundZones()
	slices.Sort(want)
	if !slices.Equal(ours, want) {
		t.Errorf("zones\n%v\nwant\n%v", ours, want)
	}
}

// Random names at, around, below and above special and configured zones get what the slow twin says.
func TestAgainstSlowTable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	labels := []string{"a", "b", "corp", "1", "0", "127", "10", "in-addr", "test", "LOCALHOST", "x.y"}
	types := []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeNS, dns.TypeSOA, dns.TypePTR, dns.TypeDS, dns.TypeANY, dns.TypeRRSIG}
	zones := unboundZones()
	random := func() string {
		name := zones[rnd.IntN(len(zones))]
		for range rnd.IntN(4) {
			if _, parent, _ := strings.Cut(name, "."); rnd.IntN(3) == 0 && parent != "" {
				name = parent
			} else {
				name = labels[rnd.IntN(len(labels))] + "." + name
			}
		}
		return name
	}
	for range 200 {
		slow := slowTable{zones: zones}
		for range rnd.IntN(8) {
			slow.configured = append(slow.configured, strings.ToLower(random()))
		}
		table := NewTable(Options{SpecialNames: true, Zones: names(slow.configured...)})
		for range 200 {
			name, qtype := random(), types[rnd.IntN(len(types))]
			got, want := ask(t, table, name, qtype, dns.ClassINET), slow.lookup(name, qtype)
			if got != want {
				t.Fatalf("%s %s with %v:\n%+v, want\n%+v", name, dns.TypeToString[qtype], slow.configured, got, want)
			}
		}
	}
}
