package dnssec

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// TestSpansAgainstModel fills caches that are too small with records of random zones: an answer may be missing, but not
// wrong. While everything fits, what the zone's server would say is found.
func TestSpansAgainstModel(t *testing.T) {
	types := []wire.Type{wire.TypeA, wire.TypeMX, wire.TypeDS}
	for _, c := range []struct{ nsec3, optOut bool }{{false, false}, {true, false}, {true, true}} {
		t.Run(fmt.Sprintf("NSEC3 %v, opt-out %v", c.nsec3, c.optOut), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			answered := 0
			for round := range 300 {
				m := randomModel(t, r)
				sets := m.sign(c.nsec3, c.optOut)
				limit := 100
				if round%2 == 1 {
					limit = 3
				}
				s := NewSpans(m.apex, limit, 1<<20)
				for _, i := range r.Perm(len(sets)) {
					if !s.Put(sets[i], 1000) {
						t.Fatalf("record of %v is not kept", sets[i].Owner)
					}
				}
				if s.Len() > limit || limit == 100 && s.Len() != len(sets) {
					t.Fatalf("%d of %d records held, limit %d", s.Len(), len(sets), limit)
				}
				for range 30 {
					n, qtype := randomBelow(r, m.apex), types[r.IntN(len(types))]
					v := testValidator()
					v.Budget.HashBlocks = 1 << 20
					a, ok := s.Synthesize(v, n, qtype, 1010)
					want := m.lookup(n, qtype)
					right := map[Kind]bool{NameError: want.nameError, NoData: want.noData, Positive: want.encloser != nil && len(a.Encloser) == len(want.encloser)}
					switch {
					case ok && !right[a.Kind]:
						t.Errorf("%v %v: %v is answered, but is false in %v", n, qtype, a.Kind, m)
					case !ok && limit == 100 && !c.optOut && (want.nameError || want.noData):
						t.Errorf("%v %v: no answer in %v", n, qtype, m)
					case ok && (len(a.Proof) == 0 || len(a.Proof) > 3 || a.Proof[0].TTL != 50):
						t.Errorf("%v %v: proof %v", n, qtype, a.Proof)
					}
					if ok {
						answered++
					}
				}
			}
			if answered < 1000 {
				t.Errorf("only %d answers", answered)
			}
		})
	}
}

func TestSpansExpire(t *testing.T) {
	s := NewSpans(dnametest.Name("Example."), 10, 1<<20)
	sets := secure(t, "example.", "example. 100 NSEC b.example. SOA NS RRSIG NSEC\nb.example. 200 NSEC example. A RRSIG NSEC")
	for _, set := range sets {
		if !s.Put(set, 0xffffffff-50) { // the clock wraps
			t.Fatal("not kept")
		}
	}
	for _, c := range []struct {
		now uint32
		ok  bool
		ttl uint32
	}{{0xffffffff - 50, true, 100}, {48, true, 1}, {49, false, 0}} {
		a, ok := s.Synthesize(testValidator(), dnametest.Name("a.example."), wire.TypeA, c.now)
		if ok != c.ok || ok && (a.Kind != NameError || a.Proof[0].TTL != c.ttl) {
			t.Errorf("at %d: %v, %v", c.now, a, ok)
		}
	}
	if a, ok := s.Synthesize(testValidator(), dnametest.Name("c.example."), wire.TypeA, 100); ok && a.Kind != Positive {
		t.Errorf("the record that denies the wildcard has expired, but the answer is %v", a.Kind)
	}
}

func TestSpansFollowTheZone(t *testing.T) {
	s := NewSpans(dnametest.Name("example."), 10, 1<<20)
	put := func(text string) {
		t.Helper()
		for _, set := range secure(t, "example.", text) {
			if !s.Put(set, 0) {
				t.Fatalf("%s is not kept", text)
			}
		}
	}
	kind := func(n string) string {
		a, ok := s.Synthesize(testValidator(), dnametest.Name(n), wire.TypeA, 1)
		if !ok {
			return "unknown"
		}
		return a.Kind.String()
	}
	put("example. NSEC m.example. SOA NS RRSIG NSEC\nm.example. NSEC example. A RRSIG NSEC")
	if got := kind("c.example.") + " " + kind("p.example."); got != "NXDOMAIN NXDOMAIN" {
		t.Errorf("at first: %s", got)
	}
	// c is new: the span that denied it goes.
	put("c.example. NSEC m.example. A RRSIG NSEC")
	if got := kind("b.example.") + " " + kind("d.example."); got != "unknown positive" {
		t.Errorf("after a name was added: %s", got)
	}
	put("example. NSEC c.example. SOA NS RRSIG NSEC")
	if got := kind("b.example.") + " " + kind("d.example."); got != "NXDOMAIN NXDOMAIN" {
		t.Errorf("with the new span: %s", got)
	}
	// m is gone.
	put("c.example. NSEC example. A RRSIG NSEC")
	if s.Len() != 2 || kind("m.example.") != "NXDOMAIN" {
		t.Errorf("after a name was removed: %d spans, m is %s", s.Len(), kind("m.example."))
	}
	// The zone changes to NSEC3 parameters that it did not have.
	s = NewSpans(dnametest.Name("example."), 10, 1<<20)
	put("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A")
	put("1p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 0 aa 2t7b4g4vsa5smi47k61mv5bv1a22bojr A")
	if s.Len() != 1 {
		t.Errorf("%d records of two chains held", s.Len())
	}
}

func TestSpansRefuse(t *testing.T) {
	s := NewSpans(dnametest.Name("example."), 10, 1<<20)
	good := secure(t, "example.", "a.example. NSEC b.example. A RRSIG NSEC")[0]
	for _, c := range []struct {
		name   string
		mutate func(set *RRset)
	}{
		{"not secure", func(set *RRset) { set.Status = Insecure }},
		{"other signer", func(set *RRset) { set.Signer = dnametest.Name("a.example.") }},
		{"made from a wildcard", func(set *RRset) { set.Encloser = dnametest.Name("example.") }},
		{"two records", func(set *RRset) { set.Data = append(set.Data, set.Data[0]) }},
		{"malformed", func(set *RRset) { set.Data = [][]byte{{0}} }},
		{"next name is before it, but not the apex", func(set *RRset) { set.Owner = dnametest.Name("c.example.") }},
		{"TTL 0", func(set *RRset) { set.TTL = 0 }},
	} {
		set := *good
		c.mutate(&set)
		if s.Put(&set, 0) {
			t.Errorf("%s: kept", c.name)
		}
	}
	var zero Spans
	if _, ok := zero.Synthesize(testValidator(), dnametest.Name("a.example."), wire.TypeA, 0); ok || zero.Put(good, 0) {
		t.Error("the zero value answers")
	}
	if _, ok := s.Synthesize(testValidator(), dnametest.Name("a.org."), wire.TypeA, 0); ok {
		t.Error("an answer for another zone")
	}
}

// TestSpansCopy changes what was put in.
func TestSpansCopy(t *testing.T) {
	s := NewSpans(dnametest.Name("example."), 10, 1<<20)
	set := secure(t, "example.", "example. NSEC example. SOA NS RRSIG NSEC")[0]
	want := bytes.Clone(set.Data[0])
	s.Put(set, 0)
	for i := range set.Data[0] {
		set.Data[0][i] = 0xff
	}
	copy(set.Owner, dname.Name{1, 'x'})
	a, ok := s.Synthesize(testValidator(), dnametest.Name("a.example."), wire.TypeA, 1)
	if !ok || a.Kind != NameError || !bytes.Equal(a.Proof[0].Data[0], want) {
		t.Errorf("Synthesize = %v, %v", a, ok)
	}
}
