package trust

import (
	"fmt"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

const second = int64(1e9)

// rooted makes a store with the root's trust anchor, and a negative one for private.example.
func rooted(memory int) *Store {
	set := new(dnssec.Anchors)
	set.Set(dnssec.RootAnchor())
	set.Set(dnssec.Anchor{Zone: dnametest.Name("private.example."), Negative: true})
	s := New(set, memory)
	return &s
}

// Links are found, in any letter case, until their TTL has passed; one of 0 is good for whoever has asked for it.
func TestLinksExpire(t *testing.T) {
	s := rooted(1 << 20)
	zone := func(text string, ttl uint32) {
		s.PutZone(&dnssec.Zone{Name: dnametest.Name(text), Result: dnssec.Result{Status: dnssec.Secure}, TTL: ttl}, second)
	}
	zone("example.", 60)
	zone("sub.example.", 0)
	for _, c := range []struct {
		name string
		at   int64
		want string
	}{
		{"www.SUB.example.", 1, "sub.example."},
		{"www.sub.example.", 1 + MinTTL, "example."},
		{"www.sub.example.", 60, "example."},
		{"www.sub.example.", 61, ""},
		{"example.", 60, "example."},
		{"other.", 1, ""},
	} {
		got := ""
		if z := s.Deepest(dnametest.Name(c.name), dname.Root(), c.at*second); z != nil {
			got = z.Name.String()
		}
		if got != c.want {
			t.Errorf("%s after %d s: %q, want %q", c.name, c.at, got, c.want)
		}
	}
	s.ForgetKeys(dnametest.Name("EXAMPLE."))
	if s.Zone(dnametest.Name("example."), second) != nil {
		t.Error("forgotten, and still there")
	}
}

// What needs no validation is what no anchor, or a negative one, covers, and what is below an insecure delegation. DS
// records are those of the zone above.
func TestUnsigned(t *testing.T) {
	s := rooted(1 << 20)
	s.PutCut(dnssec.Delegation{Name: dnametest.Name("open.example."), Result: dnssec.Result{Status: dnssec.Insecure}, TTL: 60}, second)
	for _, c := range []struct {
		name   string
		typ    wire.Type
		at     int64
		status dnssec.Status
		ok     bool
	}{
		{"www.example.", wire.TypeA, 1, 0, false},
		{"open.example.", wire.TypeA, 1, dnssec.Insecure, true},
		{"a.b.open.example.", wire.TypeA, 1, dnssec.Insecure, true},
		{"a.b.open.example.", wire.TypeA, 61, 0, false},
		{"open.example.", wire.TypeDS, 1, 0, false},
		{"sub.open.example.", wire.TypeDS, 1, dnssec.Insecure, true},
		{"x.private.example.", wire.TypeA, 1, dnssec.Insecure, true},
		{".", wire.TypeDS, 1, 0, false},
	} {
		if status, ok := s.Unsigned(dnametest.Name(c.name), c.typ, c.at*second); status != c.status || ok != c.ok {
			t.Errorf("%s %v after %d s: %v, %v", c.name, c.typ, c.at, status, ok)
		}
	}
	s.Flush(dnametest.Name("example."), true)
	if _, ok := s.Unsigned(dnametest.Name("open.example."), wire.TypeA, second); ok {
		t.Error("flushed, and still known")
	}
	if s.SetAnchors(nil, 1<<20); s.On() {
		t.Error("on without anchors")
	}
}

// However many zones deny names, what is kept of them stays within its share of the memory.
func TestDenialsAreBounded(t *testing.T) {
	const memory = 64 << 10
	s := rooted(memory)
	for i := range 1000 {
		zone := dnametest.Name(fmt.Sprintf("zone%d.example.", i))
		next := append(dname.Name{1, 'z'}, zone...)
		r := dnssec.Response{Sets: []dnssec.RRset{{
			Owner: zone, Type: wire.TypeNSEC, Class: wire.ClassIN, Section: wire.Authority, TTL: 3600,
			Result: dnssec.Result{Status: dnssec.Secure}, Signer: zone, Data: [][]byte{append(append([]byte{}, next...), 0, 1, 0x62)},
		}}}
		s.KeepDenials(&r, func(dname.Name) bool { return i%2 == 0 }, second)
		if _, ok := s.denials[string(zone)]; ok != (i%2 == 0) {
			t.Fatalf("zone %d: kept %v", i, ok)
		}
		if s.kept > memory/4 || len(s.denials) > maxDenials {
			t.Fatalf("%d bytes for %d zones", s.kept, len(s.denials))
		}
	}
	if s.kept == 0 {
		t.Error("nothing is kept")
	}
}

// Who only looks makes no link young: the old ones go as if nobody had.
func TestQuiet(t *testing.T) {
	s, name := rooted(1<<20), dnametest.Name("example.")
	s.PutZone(&dnssec.Zone{Name: name, TTL: 60}, second)
	s.PutCut(dnssec.Delegation{Name: name, Result: dnssec.Result{Status: dnssec.Insecure}, TTL: 60}, second)
	s.zones.old, s.zones.young = s.zones.young, s.zones.old
	s.cuts.old, s.cuts.young = s.cuts.young, s.cuts.old
	look := func() {
		if s.Deepest(dnametest.Name("www.example."), dname.Root(), second) == nil {
			t.Error("the zone is not found")
		}
		if _, ok := s.Unsigned(dnametest.Name("www.example."), wire.TypeA, second); !ok {
			t.Error("the cut is not found")
		}
	}
	s.Quiet(true)
	if look(); len(s.zones.young)+len(s.cuts.young) != 0 || len(s.zones.old)+len(s.cuts.old) != 2 {
		t.Error("a look has moved them")
	}
	s.Quiet(false)
	s.zones.young, s.cuts.young = map[string]zoneLink{}, map[string]cutLink{}
	if look(); len(s.zones.young)+len(s.cuts.young) != 2 {
		t.Error("use does not make them young")
	}
}
