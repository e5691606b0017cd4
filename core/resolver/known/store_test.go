package known

import (
	"testing"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

func store() *Store {
	s := New(make([]byte, cache.MinMemory), 1)
	return &s
}

// host has one address at a name.
func host(n dname.Name, last byte) Records {
	return Records(nil).Add(wire.Answer, n, wire.TypeA, wire.ClassIN, 300, []byte{192, 0, 2, last})
}

// What is trusted less does not take the place of what is trusted more: RFC 2181, section 5.4.1, and validation before it.
func TestRanks(t *testing.T) {
	n := dnametest.Name("www.example.")
	for _, c := range []struct {
		what       string
		before, by Set
		replaced   bool
	}{
		{"the same rank", Set{Rank: AuthAnswer}, Set{Rank: AuthAnswer}, true},
		{"a higher rank", Set{Rank: NonAuthAnswer}, Set{Rank: AuthAnswer}, true},
		{"a lower rank", Set{Rank: AuthAnswer}, Set{Rank: NonAuthAnswer}, false},
		{"a lower rank with signatures", Set{Rank: AuthAnswer}, Set{Rank: NonAuthAnswer, DO: true}, true},
		{"a lower rank, both with signatures", Set{Rank: AuthAnswer, DO: true}, Set{Rank: NonAuthAnswer, DO: true}, false},
		{"validated, of a lower rank", Set{Rank: AuthAnswer}, Set{Rank: NonAuthAnswer, Status: dnssec.Secure}, true},
		{"not validated, of a higher rank", Set{Rank: NonAuthAnswer, Status: dnssec.Insecure}, Set{Rank: AuthAnswer}, false},
		{"what is known, validated", Set{Rank: AuthAnswer}, Set{Status: dnssec.Secure}, true},
	} {
		s := store()
		c.before.Records, c.before.TTL, c.by.Records, c.by.TTL = host(n, 1), 300, host(n, 2), 300
		s.Add(n, wire.TypeA, wire.ClassIN, &c.before, 10)
		s.Add(n, wire.TypeA, wire.ClassIN, &c.by, 11)
		recs, ok := s.View(n, wire.TypeA, wire.ClassIN, 12)
		rec, _, _ := recs.Next()
		if !ok || (rec.RData[3] == 2) != c.replaced {
			t.Errorf("%s: %v %+v", c.what, ok, rec)
		}
	}
}

// TTLs go down with time, a set ends with them, and one with TTL 0 is for the task that asked alone.
func TestRecall(t *testing.T) {
	s, n := store(), dnametest.Name("www.example.")
	s.Add(n, wire.TypeA, wire.ClassIN, &Set{Records: host(n, 1), Rcode: wire.RcodeNoError, Rank: AuthAnswer, Status: dnssec.Secure, TTL: 300}, 1000)
	recs, code, status, ok := s.Recall(nil, n, wire.TypeA, wire.ClassIN, false, false, 1100)
	if rec, _, _ := recs.Next(); !ok || code != wire.RcodeNoError || status != dnssec.Secure || rec.TTL != 200 {
		t.Errorf("%v %v %v %+v", ok, code, status, rec)
	}
	if _, _, _, ok := s.Recall(nil, n, wire.TypeA, wire.ClassIN, true, false, 1100); ok {
		t.Error("a set without signatures serves who needs them")
	}
	if _, _, _, ok := s.Recall(nil, n, wire.TypeA, wire.ClassIN, false, false, 1300); ok {
		t.Error("a set outlives its TTL")
	}
	s.Add(n, wire.TypeTXT, wire.ClassIN, &Set{Records: host(n, 1)}, 1000)
	if _, _, _, ok := s.Recall(nil, n, wire.TypeTXT, wire.ClassIN, false, false, 1000); ok {
		t.Error("a set with TTL 0 serves others")
	}
	if _, _, _, ok := s.Recall(nil, n, wire.TypeTXT, wire.ClassIN, false, true, 1000); !ok {
		t.Error("a set with TTL 0 does not serve who asked")
	}
}

// What has been validated is outdated by what has been validated alone.
func TestOutdate(t *testing.T) {
	s, n := store(), dnametest.Name("www.example.")
	add := func(status dnssec.Status) {
		s.Add(n, wire.TypeA, wire.ClassIN, &Set{Records: host(n, 1), Rank: AuthAnswer, Status: status, TTL: 300}, 1)
	}
	known := func() bool { _, ok := s.View(n, wire.TypeA, wire.ClassIN, 1); return ok }
	add(dnssec.Secure)
	if s.Outdate(n, wire.TypeA, wire.ClassIN, dnssec.Unchecked, 1); !known() {
		t.Error("a validated set gave way to what was not")
	}
	if s.Outdate(n, wire.TypeA, wire.ClassIN, dnssec.Insecure, 1); known() {
		t.Error("a validated set stays")
	}
}

// Entries of different kinds under one name do not meet, and a purge tells them apart.
func TestKindsAndPurge(t *testing.T) {
	s, n := store(), dnametest.Name("example.")
	for _, k := range []Kind{Delegation, Own, RRset, Referral} {
		s.Put(k, n, wire.TypeNS, wire.ClassIN, []byte{byte(k)}, 60, 1)
	}
	s.Purge(func(k Kind, have dname.Name) bool { return k == Delegation && dname.Equal(have, n) })
	s.Purge(func(k Kind, _ dname.Name) bool { return k == Own })
	for k, want := range map[Kind]bool{Delegation: false, Own: false, RRset: true, Referral: true} {
		if v, ok := s.Get(k, n, wire.TypeNS, wire.ClassIN, 1); ok != want || ok && v[0] != byte(k) {
			t.Errorf("kind %c: %v %v", k, v, ok)
		}
	}
	for range 100 {
		s.Step()
	}
	if s.Stats().Entries != 2 {
		t.Errorf("%d entries after the purge", s.Stats().Entries)
	}
}

// Records come out as they went in.
func TestRecords(t *testing.T) {
	n := dnametest.Name("example.")
	soa := Records(nil).Add(wire.Authority, n, wire.TypeSOA, wire.ClassIN, 60, []byte("soa"))
	recs := append(Records(nil).Add(wire.Answer|MadeHere, n, wire.TypeCNAME, wire.ClassIN, 300, []byte{0}), soa...)
	other := append(append(Records(nil), soa...), recs[:len(recs)-len(soa)]...)
	first, rest, ok := recs.Next()
	if !ok || !first.Made || first.Ours || first.Section != wire.Answer || first.TTL != 300 || string(first.RData) != "\x00" || string(rest) != string(soa) {
		t.Errorf("%+v", first)
	}
	if recs.Count() != 2 || !recs.HasSOA() || !recs.Aliased() || soa.Aliased() || !recs.Has(&first) || soa.Has(&first) {
		t.Error("what is in the records is not seen")
	}
	if recs.Sum() != other.Sum() || recs.Sum() == soa.Sum() {
		t.Error("the sum depends on the order, or on nothing")
	}
	recs.MarkOurs()
	first, rest, _ = recs.Next()
	if second, _, _ := rest.Next(); !first.Ours || !first.Made || !second.Ours {
		t.Error("the marks are not on all records")
	}
}

func TestStoreAllocs(t *testing.T) {
	s, n := store(), dnametest.Name("www.example.")
	recs, dst := host(n, 1), make(Records, 0, 512)
	set := &Set{Records: recs, Rank: AuthAnswer, TTL: 60}
	if allocs := testing.AllocsPerRun(100, func() {
		s.Add(n, wire.TypeA, wire.ClassIN, set, 1)
		s.Recall(dst, n, wire.TypeA, wire.ClassIN, false, false, 1)
		s.Outdate(n, wire.TypeCNAME, wire.ClassIN, dnssec.Unchecked, 1)
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// Who only looks counts nothing, and an entry stays as likely to be forgotten.
func TestQuiet(t *testing.T) {
	s, n := store(), dnametest.Name("www.example.")
	s.Add(n, wire.TypeA, wire.ClassIN, &Set{Records: host(n, 1), Rank: AuthAnswer, TTL: 300}, 1000)
	hits := func() uint32 {
		item, _ := s.store.Peek(s.makeKey(RRset, n, wire.TypeA, wire.ClassIN), s.key, 1000)
		return item.Hits
	}
	stats, used := s.Stats(), hits()
	s.Quiet(true)
	if rank, _, age, ok := s.Inspect(n, wire.TypeA, wire.ClassIN, 1010); !ok || rank != AuthAnswer || age != 10 {
		t.Errorf("inspected: %v, %v, %d s old", ok, rank, age)
	}
	if _, ok := s.View(n, wire.TypeA, wire.ClassIN, 1300); ok {
		t.Error("found although it has expired")
	}
	if _, ok := s.View(n, wire.TypeAAAA, wire.ClassIN, 1010); ok {
		t.Error("found what was never put")
	}
	if got := s.Stats(); got != stats || hits() != used {
		t.Errorf("counted: %+v, before %+v; %d hits", got, stats, hits())
	}
	s.Quiet(false)
	if s.View(n, wire.TypeA, wire.ClassIN, 1010); hits() != used+1 {
		t.Errorf("%d hits", hits())
	}
}
