package core

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// served makes a zone of records in presentation form, SOA and NS records added.
func served(t testing.TB, origin string, records ...string) *zone.Zone {
	t.Helper()
	b := zone.NewBuilder(dnametest.Name(origin), zone.Options{Seed: 1, Now: 1})
	for _, text := range append([]string{origin + " 60 SOA ns." + origin + " h." + origin + " 1 2 3 4 5", origin + " 60 NS ns." + origin}, records...) {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, 512)
		end, err := dns.PackRR(rr, raw, 0, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		h := rr.Header()
		if err := b.Add(dnametest.Name(h.Name), wire.Type(h.Rrtype), wire.ClassIN, h.Ttl, raw[end-int(h.Rdlength):end]); err != nil {
			t.Fatal(err)
		}
	}
	z, problems := b.Finish(func(n int) ([]byte, error) { return make([]byte, n), nil })
	if z == nil {
		t.Fatal(problems)
	}
	return z
}

// script has the server answer all queries that are open, as the records say.
func (r *rig) script(rcode int, records ...string) {
	r.t.Helper()
	for i := 0; i < len(r.sent); i++ {
		q := r.sent[i]
		m := new(dns.Msg).SetRcode(q.msg, rcode)
		m.RecursionAvailable = true
		name := strings.ToLower(q.msg.Question[0].Name)
		for _, text := range records {
			rr, err := dns.NewRR(text)
			if err != nil {
				r.t.Fatal(err)
			}
			if strings.HasPrefix(text, name) || len(m.Answer) > 0 {
				m.Answer = append(m.Answer, rr)
			}
		}
		r.e.Receive(r.now, 0, q.server, pack(r.t, m))
	}
	r.sent = nil
}

// resolve asks a question, lets the servers answer, and returns what the client gets.
func (r *rig) resolve(name string, edit func(*dns.Msg), from string, records ...string) *dns.Msg {
	r.t.Helper()
	q := new(dns.Msg).SetQuestion(name, dns.TypeA)
	if edit != nil {
		edit(q)
	}
	req := r.handle(q, from, false)
	for range 20 {
		r.e.Misses(r.now, 10)
		r.script(0, records...)
	}
	switch req.Outcome {
	case Send:
		return unpack(r.t, req.Response)
	case Wait:
		if m := r.replies[req.To]; m != nil {
			delete(r.replies, req.To)
			return m
		}
	}
	r.t.Fatalf("%s: outcome %d and no reply", name, req.Outcome)
	return nil
}

func chain(m *dns.Msg) string {
	var out []string
	for _, rr := range m.Answer {
		f := strings.Fields(rr.String())
		out = append(out, f[0]+" "+f[3]+" "+f[4])
	}
	return strings.Join(out, "; ")
}

func withoutRD(m *dns.Msg) { m.RecursionDesired = false }

// What an alias leads to is answered from the zone that it lies in, and asked for again when that has changed.
func TestAliasIntoZone(t *testing.T) {
	r := newRig(t, nil)
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "priv.alpha.", "h.priv.alpha. 60 A 10.0.0.1", "c.priv.alpha. 60 CNAME h.priv.alpha.")}))
	lie := []string{"www.example. 300 CNAME h.priv.alpha.", "h.priv.alpha. 300 A 203.0.113.66"}
	const alias = "www.example. CNAME h.priv.alpha.; h.priv.alpha. A "
	other := []string{"other.example. 300 A 192.0.2.9"}
	r.resolve("other.example.", nil, "10.0.0.1", other...)
	if m := r.resolve("www.example.", nil, "10.0.0.1", lie...); chain(m) != alias+"10.0.0.1" || m.Authoritative || m.AuthenticatedData {
		t.Errorf("answer %v", m)
	}
	if m := r.resolve("up.example.", nil, "10.0.0.1", "up.example. 300 CNAME c.priv.alpha."); chain(m) != "up.example. CNAME c.priv.alpha.; c.priv.alpha. CNAME h.priv.alpha.; h.priv.alpha. A 10.0.0.1" {
		t.Errorf("two aliases: %v", m)
	}
	if m := r.resolve("no.example.", nil, "10.0.0.1", "no.example. 300 CNAME x.priv.alpha.", "x.priv.alpha. 300 A 203.0.113.66"); m.Rcode != dns.RcodeNameError || chain(m) != "no.example. CNAME x.priv.alpha." || len(m.Ns) != 1 {
		t.Errorf("a name that the zone does not have: %v", m)
	}
	hits := func() uint64 { return r.e.Counters().Hits }
	before := hits()
	if m := r.resolve("www.example.", nil, "10.0.0.1"); chain(m) != alias+"10.0.0.1" || hits() != before+1 {
		t.Errorf("from the cache: %v", m)
	}
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "priv.alpha.", "h.priv.alpha. 60 A 10.0.0.2", "x.priv.alpha. 60 A 10.0.0.3")}))
	if m := r.resolve("www.example.", nil, "10.0.0.1", lie...); chain(m) != alias+"10.0.0.2" {
		t.Errorf("after a new version: %v", m)
	}
	if m := r.resolve("no.example.", nil, "10.0.0.1", "no.example. 300 CNAME x.priv.alpha."); chain(m) != "no.example. CNAME x.priv.alpha.; x.priv.alpha. A 10.0.0.3" {
		t.Errorf("a name that the new version has: %v", m)
	}
	before = hits()
	if m := r.resolve("other.example.", nil, "10.0.0.1"); chain(m) != "other.example. A 192.0.2.9" || hits() != before+1 {
		t.Errorf("what does not depend on the zone is not in the cache any more: %v", m)
	}
	r.e.SetZones(nil)
	if m := r.resolve("www.example.", nil, "10.0.0.1", lie...); chain(m) != alias+"203.0.113.66" {
		t.Errorf("without the zone: %v", m)
	}
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "priv.alpha.", "h.priv.alpha. 60 A 10.0.0.4")}))
	if m := r.resolve("www.example.", nil, "10.0.0.1", lie...); chain(m) != alias+"10.0.0.4" {
		t.Errorf("with the zone again: %v", m)
	}
	r.e.SetZones(zone.NewSet([]*zone.Zone{zone.NewUnready(dnametest.Name("priv.alpha."))}))
	if m := r.resolve("www.example.", nil, "10.0.0.1", lie...); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("with a zone that is not loaded: %v", m)
	}
}

// Special names are answered here if an alias leads to them, too.
func TestAliasIntoSpecialName(t *testing.T) {
	r := newRig(t, nil)
	if m := r.resolve("www.example.", nil, "10.0.0.1", "www.example. 300 CNAME localhost.", "localhost. 300 A 203.0.113.66"); chain(m) != "www.example. CNAME localhost.; localhost. A 127.0.0.1" {
		t.Errorf("answer %v", m)
	}
	if m := r.resolve("rev.example.", nil, "10.0.0.1", "rev.example. 300 CNAME 1.2.3.10.in-addr.arpa."); m.Rcode != dns.RcodeNameError || chain(m) != "rev.example. CNAME 1.2.3.10.in-addr.arpa." {
		t.Errorf("answer %v", m)
	}
	for _, q := range r.sent {
		t.Errorf("%v was asked", q.msg.Question)
	}
}

// An alias that leads out of a zone is followed for those who may use recursion and want it, and for nobody else.
func TestAliasOutOfZone(t *testing.T) {
	r := newRig(t, nil)
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "own.alpha.", "away.own.alpha. 60 CNAME www.example.", "loop.own.alpha. 60 CNAME back.example.", "in.own.alpha. 60 CNAME away.own.alpha.")}))
	world := []string{"www.example. 300 A 192.0.2.7"}
	const whole = "away.own.alpha. CNAME www.example.; www.example. A 192.0.2.7"
	for range 2 { // from the server, then from the cache
		if m := r.resolve("away.own.alpha.", nil, "10.0.0.1", world...); chain(m) != whole || !m.Authoritative || !m.RecursionAvailable {
			t.Errorf("answer %v", m)
		}
		if m := r.resolve("away.own.alpha.", withoutRD, "10.0.0.1", world...); chain(m) != "away.own.alpha. CNAME www.example." || !m.Authoritative {
			t.Errorf("without RD: %v", m)
		}
		if m := r.resolve("away.own.alpha.", nil, "192.0.2.1", world...); chain(m) != "away.own.alpha. CNAME www.example." || m.RecursionAvailable {
			t.Errorf("a stranger's: %v", m)
		}
		if m := r.resolve("in.own.alpha.", nil, "10.0.0.1", world...); chain(m) != "in.own.alpha. CNAME away.own.alpha.; "+whole {
			t.Errorf("two aliases: %v", m)
		}
	}
	if m := r.resolve("loop.own.alpha.", nil, "10.0.0.1", "back.example. 300 CNAME loop.own.alpha."); m.Rcode != dns.RcodeServerFailure || m.Authoritative {
		t.Errorf("aliases that lead in a circle: %v", m)
	}
	cd := func(m *dns.Msg) { m.CheckingDisabled = true }
	if m := r.resolve("away.own.alpha.", cd, "10.0.0.1", world...); chain(m) != whole {
		t.Errorf("with CD: %v", m)
	}
	r.e.Drain()
	if m := r.resolve("away.own.alpha.", func(m *dns.Msg) { m.SetEdns0(1232, true) }, "10.0.0.1", world...); chain(m) != "away.own.alpha. CNAME www.example." {
		t.Errorf("while shutting down: %v", m)
	}
}

// The longest of the zones that are served and those that others are asked about counts.
func TestOthersServeBelowZone(t *testing.T) {
	private := netip.MustParseAddrPort("192.0.2.54:53")
	groups := []resolver.Group{
		{Zone: dname.Name{0}, Kind: resolver.Forward, Servers: []netip.AddrPort{testServer}},
		{Zone: dnametest.Name("priv.own.alpha."), Kind: resolver.Forward, Servers: []netip.AddrPort{private}},
	}
	r := newRig(t, nil)
	r.e.SetGroups(groups)
	zones := []*zone.Zone{served(t, "own.alpha.", "a.own.alpha. 60 CNAME h.priv.own.alpha.", "h.priv.own.alpha. 60 A 203.0.113.66"), served(t, "deep.priv.own.alpha.", "h.deep.priv.own.alpha. 60 A 10.0.0.9")}
	r.e.SetZones(zone.NewSet(zones, dnametest.Name("."), dnametest.Name("PRIV.own.alpha.")))
	for _, c := range []struct{ name, want string }{
		{"h.priv.own.alpha.", "h.priv.own.alpha. A 10.0.0.8"},
		{"a.own.alpha.", "a.own.alpha. CNAME h.priv.own.alpha.; h.priv.own.alpha. A 10.0.0.8"},
		{"h.deep.priv.own.alpha.", "h.deep.priv.own.alpha. A 10.0.0.9"},
	} {
		if m := r.resolve(c.name, nil, "10.0.0.1", "h.priv.own.alpha. 300 A 10.0.0.8"); chain(m) != c.want {
			t.Errorf("%s: %v", c.name, m)
		}
	}
	if m := r.resolve("h.priv.own.alpha.", nil, "192.0.2.1"); m.Rcode != dns.RcodeRefused {
		t.Errorf("a stranger's: %v", m)
	}
}

// When the servers of a zone change, so do the answers: at the names in it, and where an alias leads into it.
func TestRoutesChange(t *testing.T) {
	r := newRig(t, nil)
	all := resolver.Group{Zone: dname.Name{0}, Kind: resolver.Forward, Servers: []netip.AddrPort{testServer}}
	world := func(address string) []string {
		return []string{"www.example. 300 CNAME h.corp.alpha.", "h.corp.alpha. 300 A " + address}
	}
	ask := func(address string) {
		t.Helper()
		if m := r.resolve("www.example.", nil, "10.0.0.1", world(address)...); chain(m) != "www.example. CNAME h.corp.alpha.; h.corp.alpha. A "+address {
			t.Errorf("want %s: %v", address, m)
		}
		if m := r.resolve("h.corp.alpha.", nil, "10.0.0.1", world(address)[1]); chain(m) != "h.corp.alpha. A "+address {
			t.Errorf("want %s: %v", address, m)
		}
	}
	ask("192.0.2.1")
	r.resolve("other.example.", nil, "10.0.0.1", "other.example. 300 A 192.0.2.9")
	for i, address := range []string{"192.0.2.2", "192.0.2.3"} {
		r.e.SetGroups([]resolver.Group{all, {Zone: dnametest.Name("corp.alpha."), Kind: resolver.GroupKind(i), Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.54:53")}}})
		ask(address)
	}
	r.e.SetGroups([]resolver.Group{all})
	ask("192.0.2.4")
	before := r.e.Counters().Hits
	if r.resolve("other.example.", nil, "10.0.0.1"); r.e.Counters().Hits != before+1 {
		t.Error("a name of which nothing has changed is not in the cache any more")
	}
	before = r.e.Counters().Hits
	r.e.SetGroups([]resolver.Group{all})
	if r.resolve("www.example.", nil, "10.0.0.1"); r.e.Counters().Hits != before+1 {
		t.Error("a reload that changes nothing empties the cache")
	}
}

func TestLookAllocates0(t *testing.T) {
	r := newRig(t, nil)
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "own.alpha.", "www.own.alpha. 60 A 10.0.0.1")}, dnametest.Name("x.own.alpha.")))
	want := map[string]resolver.Place{
		"www.own.alpha.": resolver.Answered, "no.own.alpha.": resolver.Answered, "a.x.own.alpha.": resolver.Elsewhere,
		"localhost.": resolver.Answered, "www.example.": resolver.Elsewhere,
	}
	buf := make([]byte, 0, 4096)
	for name, place := range want {
		q := resolver.Question{Name: dnametest.Name(name), Type: wire.TypeA, Class: wire.ClassIN}
		if n := testing.AllocsPerRun(100, func() {
			if _, got := r.e.Look(buf, &q); got != place {
				t.Fatalf("%s is %d", name, got)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// An alias within a zone that is served here leads to records that stand in the same response: looking whose they are
// must not change what they are.
func TestAliasWithinZoneToManyRecords(t *testing.T) {
	r := newRig(t, nil)
	records := []string{"c.priv.alpha. 60 CNAME h.priv.alpha."}
	want := []string{"www.example. CNAME c.priv.alpha.", "c.priv.alpha. CNAME h.priv.alpha."}
	for i := range 20 {
		records = append(records, fmt.Sprintf("h.priv.alpha. 60 A 10.0.0.%d", i+1))
		want = append(want, fmt.Sprintf("h.priv.alpha. A 10.0.0.%d", i+1))
	}
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "priv.alpha.", records...)}))
	m := r.resolve("www.example.", nil, "10.0.0.1", "www.example. 300 CNAME c.priv.alpha.")
	if got := chain(m); got != strings.Join(want, "; ") {
		t.Errorf("answer %v", m)
	}
}
