package dnssec

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// model is a small zone as a map, and the plain lookup in it that the proofs are held against. Names are in
// wire form.
type model struct {
	apex  dname.Name
	names map[string][]wire.Type // of the zone's data, delegations included
	all   map[string]bool        // names, and empty non-terminals
}

// randomModel makes a zone with hosts, wildcards, aliases, DNAMEs, signed and unsigned delegations.
func randomModel(t *testing.T, r *rand.Rand) *model {
	m := &model{apex: dnametest.Name("z."), names: map[string][]wire.Type{}, all: map[string]bool{}}
	m.names[string(m.apex)] = []wire.Type{wire.TypeSOA, wire.TypeNS, wire.TypeDNSKEY}
	for range 1 + r.IntN(8) {
		n := randomBelow(r, m.apex)
		switch k := r.IntN(10); {
		case k < 5:
			m.names[string(n)] = []wire.Type{wire.TypeA}
		case k == 5:
			m.names[string(n)] = []wire.Type{wire.TypeCNAME}
		case k == 6 && !n.IsWildcard():
			m.names[string(n)] = []wire.Type{wire.TypeDNAME}
		case k == 7 && !n.IsWildcard():
			m.names[string(n)] = []wire.Type{wire.TypeNS, wire.TypeDS}
		case k == 8 && !n.IsWildcard():
			m.names[string(n)] = []wire.Type{wire.TypeNS}
		}
	}
	maps.DeleteFunc(m.names, func(n string, _ []wire.Type) bool {
		_, cut := m.cut(dname.Name(n).Parent())
		return cut && len(n) > len(m.apex)
	})
	for n := range m.names {
		for p := dname.Name(n); len(p) >= len(m.apex); p = p.Parent() {
			m.all[string(p)] = true
		}
	}
	return m
}

func randomBelow(r *rand.Rand, apex dname.Name) dname.Name {
	n := apex
	for range 1 + r.IntN(3) {
		n = append(dname.Name{1, "*abcd"[r.IntN(5)]}, n...)
	}
	return n
}

// cut returns the zone cut or DNAME that n is at or below.
func (m *model) cut(n dname.Name) (types []wire.Type, found bool) {
	for ; len(n) > len(m.apex); n = n.Parent() {
		if types := m.names[string(n)]; slices.Contains(types, wire.TypeNS) || slices.Contains(types, wire.TypeDNAME) {
			return types, true
		}
	}
	return nil, false
}

// truth is what a zone's server would say (RFC 1034, section 4.3.2; RFC 4592).
type truth struct {
	nameError, noData bool
	encloser          dname.Name // if a wildcard may stand in for the name
	unsigned          bool       // at or below an unsigned delegation
}

func (m *model) lookup(n dname.Name, t wire.Type) (a truth) {
	if types, found := m.cut(n); found {
		own := m.names[string(n)] // nil below the cut
		if slices.Contains(types, wire.TypeNS) {
			a.unsigned = !slices.Contains(types, wire.TypeDS)
			a.noData = own != nil && t == wire.TypeDS && a.unsigned
			return a
		}
		a.noData = own != nil && !slices.Contains(own, t) // at a DNAME
		return a
	}
	if m.all[string(n)] {
		types := m.names[string(n)]
		a.noData = !slices.Contains(types, t) && !slices.Contains(types, wire.TypeCNAME) && (t != wire.TypeDS || len(n) > len(m.apex))
		return a
	}
	a.encloser = n.Parent()
	for !m.all[string(a.encloser)] {
		a.encloser = a.encloser.Parent()
	}
	wild := string(append(dname.Name{1, '*'}, a.encloser...))
	types := m.names[wild]
	a.nameError = !m.all[wild]
	a.noData = m.all[wild] && !slices.Contains(types, t) && !slices.Contains(types, wire.TypeCNAME)
	return a
}

// sign returns the zone's NSEC records, or its NSEC3 records.
func (m *model) sign(nsec3, optOut bool) []*RRset {
	var owners []dname.Name
	for n := range m.all {
		types := m.names[n]
		unsigned := slices.Contains(types, wire.TypeNS) && len(types) == 1
		if !nsec3 && types == nil || nsec3 && optOut && unsigned {
			continue
		}
		owners = append(owners, dname.Name(n))
	}
	hash := func(n dname.Name) []byte { h := hashName(n, 1, []byte{7}); return h[:] }
	if nsec3 {
		slices.SortFunc(owners, func(a, b dname.Name) int { return bytes.Compare(hash(a), hash(b)) })
	} else {
		slices.SortFunc(owners, dname.Compare)
	}
	var sets []*RRset
	for i, n := range owners {
		next := owners[(i+1)%len(owners)]
		set := &RRset{Class: wire.ClassIN, TTL: 60, Result: Result{Status: Secure}, Signer: m.apex}
		types := slices.Clone(m.names[string(n)])
		if nsec3 {
			set.Type = wire.TypeNSEC3
			sum := hashName(n, 1, []byte{7})
			set.Owner = append(base32Hex.AppendEncode(dname.Name{hashLabelLen}, sum[:]), m.apex...)
			param := NSEC3PARAM{Hash: hashSHA1, Iterations: 1, Salt: []byte{7}}
			if optOut {
				param.Flags = flagOptOut
			}
			set.Data = [][]byte{NSEC3{param, hash(next), appendBitmap(nil, types...)}.Append(nil)}
		} else {
			set.Type, set.Owner = wire.TypeNSEC, n
			set.Data = [][]byte{NSEC{next, appendBitmap(nil, append(types, wire.TypeRRSIG, wire.TypeNSEC)...)}.Append(nil)}
		}
		sets = append(sets, set)
	}
	return sets
}

// TestDenialAgainstModel asks random questions of random zones. With all records everything that is true is proven,
// and with some of them nothing else is.
func TestDenialAgainstModel(t *testing.T) {
	types := []wire.Type{wire.TypeA, wire.TypeMX, wire.TypeDS}
	for _, c := range []struct{ nsec3, optOut bool }{{false, false}, {true, false}, {true, true}} {
		t.Run(fmt.Sprintf("NSEC3 %v, opt-out %v", c.nsec3, c.optOut), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			proven := map[string]int{}
			for range 400 {
				m := randomModel(t, r)
				sets := m.sign(c.nsec3, c.optOut)
				for i := range 40 {
					d, v := NewDenial(m.apex), testValidator()
					v.Budget.HashBlocks = 1 << 20
					complete := i%2 == 0
					for _, set := range sets {
						if complete || r.IntN(2) == 0 {
							if !d.Add(set) {
								t.Fatalf("record of %v is not taken", set.Owner)
							}
						}
					}
					n, qtype := randomBelow(r, m.apex), types[r.IntN(len(types))]
					want := m.lookup(n, qtype)
					check := func(what string, got Result, right bool) {
						switch {
						case got.Status == Secure && !right:
							t.Errorf("%v %v: %s is proven, but is false in %v", n, qtype, what, m)
						case complete && right && got.Status != Secure && !(c.optOut && got.Status == Insecure):
							t.Errorf("%v %v: %s is not proven: %v, but is true in %v", n, qtype, what, got, m)
						case got.Status == Insecure && !c.optOut && !want.unsigned:
							t.Errorf("%v %v: %s is %v, but there is no unsigned delegation in %v", n, qtype, what, got, m)
						}
						proven[what+" "+got.Status.String()]++
					}
					check("NXDOMAIN", d.NameError(v, n), want.nameError)
					check("NODATA", d.NoData(v, n, qtype), want.noData)
					for e := n.Parent(); len(e) >= len(m.apex); e = e.Parent() {
						if !m.all[string(append(dname.Name{1, '*'}, e...))] {
							continue // no signature can speak of it
						}
						check("expansion", d.Expansion(v, n, e), want.encloser != nil && len(e) == len(want.encloser))
					}
					cut, got := d.NoDS(v, n)
					if got.Status == Insecure && !c.optOut && !want.unsigned || got.Status == Secure && cut != NoCut {
						t.Errorf("%v: NoDS = %v, %v in %v", n, cut, got, m)
					}
				}
			}
			for _, what := range []string{"NXDOMAIN secure", "NODATA secure", "expansion secure"} {
				if proven[what] < 100 && !(c.optOut && what != "NODATA secure") {
					t.Errorf("%s only %d times", what, proven[what])
				}
			}
		})
	}
}

func (m *model) String() string {
	var b bytes.Buffer
	for _, n := range slices.Sorted(maps.Keys(m.names)) {
		fmt.Fprintf(&b, "%v%v ", dname.Name(n), m.names[n])
	}
	return b.String()
}
