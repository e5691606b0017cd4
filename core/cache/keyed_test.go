package cache

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// The type and the other parts of a key go into the seed of the name's hash. Who knows how cannot make up for them by another
// name: neither a name that takes the same difference out again, nor any of the types at one name, come into the same bucket
// more often than by accident.
func TestKeysDoNotMakeUpForNames(t *testing.T) {
	const buckets, seeds = 4096, 64
	rnd := rand.New(rand.NewPCG(13, 14))
	for _, size := range []int{8, 12, 16, 20, 32, 40, 64} {
		for range 400 {
			n := make([]byte, size)
			for i := range n {
				n[i] = byte(rnd.Uint32())
			}
			k := Key{Type: wire.Type(rnd.Uint32()), Class: wire.ClassIN}
			l := Key{Type: wire.Type(rnd.Uint32()), Class: wire.ClassIN, DO: rnd.IntN(2) == 0}
			delta := (k.bits() ^ l.bits()) * 0x9E3779B97F4A7C15
			if rnd.IntN(2) == 0 {
				delta = k.bits()*0x9E3779B97F4A7C15 ^ l.bits()*0x9E3779B97F4A7C15
			}
			m := append([]byte(nil), n...)
			for at, turned := 0, rnd.IntN(2) == 0; at+8 <= size; at, turned = at+8, !turned {
				d := delta
				if turned {
					d = bits.RotateLeft64(delta, 32)
				}
				if rnd.IntN(3) > 0 {
					binary.LittleEndian.PutUint64(m[at:], binary.LittleEndian.Uint64(m[at:])^d)
				}
			}
			k.Name, l.Name = dname.Name(n), dname.Name(m)
			same := 0
			for range seeds {
				a := &Answers{seed: rnd.Uint64()}
				if a.Hash(&k)%buckets == a.Hash(&l)%buckets {
					same++
				}
			}
			if same > 6 {
				t.Errorf("names of %d octets: the same bucket under %d of %d seeds", size, same, seeds)
			}
		}
	}
	name, err := dname.ParseText(nil, "www.example.org.")
	if err != nil {
		t.Fatal(err)
	}
	a := &Answers{seed: rnd.Uint64()}
	filled, most := make([]int, buckets), 0
	for typ := range buckets {
		b := a.Hash(&Key{Name: name, Type: wire.Type(typ), Class: wire.ClassIN}) % buckets
		filled[b]++
		most = max(most, filled[b])
	}
	if most > 12 {
		t.Errorf("%d types of one name in one bucket", most)
	}
}

// Names that share a bucket under one seed are spread under another, and the buckets have a bound however they are chosen: a
// lookup reads no more lines for them than for names drawn at random.
func TestChosenNamesShareNoBucket(t *testing.T) {
	const memory, many, bits = 4 << 20, 2000, 8
	known := newAnswers(t, 1, memory)
	for seed := range uint64(3) {
		a := newAnswers(t, 100+seed, memory)
		chosen, random := 0, newAnswers(t, 200+seed, memory)
		for i := 0; chosen < many; i++ {
			name, err := dname.ParseText(nil, fmt.Sprintf("x%d.example.", i))
			if err != nil {
				t.Fatal(err)
			}
			k := Key{Name: name, Type: wire.TypeA, Class: wire.ClassIN}
			if i < many {
				put(t, random, &k)
			}
			if known.Hash(&k)%(1<<bits) == 3 {
				chosen++
				put(t, a, &k)
			}
		}
		lines := func(a *Answers) int { return a.store.index.overflow }
		if got, usual := lines(a), lines(random); got > usual*3/2+8 {
			t.Errorf("%d overflow lines with chosen names, %d with others", got, usual)
		}
		if a.store.index.entries < many*9/10 {
			t.Errorf("%d entries of %d", a.store.index.entries, many)
		}
	}
}

func newAnswers(t *testing.T, seed uint64, memory int) *Answers {
	t.Helper()
	a, err := NewAnswers(AnswersOptions{Memory: make([]byte, memory), Seed: seed * 0x9E3779B97F4A7C15, MaxTTL: 86400, MaxNegativeTTL: 3600})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func put(t *testing.T, a *Answers, k *Key) {
	t.Helper()
	msg := wire.AppendQuery(nil, 0, wire.FlagQR, k.Name, k.Type, k.Class)
	wire.SetCount(msg, wire.Answer, 1)
	msg = append(msg, 0xC0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1)
	if got := a.Put(a.Hash(k), k, msg, Meta{}, 1); got != Stored {
		t.Fatalf("%v", got)
	}
}
