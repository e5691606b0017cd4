package main

import (
	"math"
	"math/rand/v2"
)

// draw chooses the next key of a stream; what a key stands for is the workload's
// affair. Each thread has its own.
type draw interface {
	// next returns a key, or false when there is none left for now.
	next() (key uint64, ok bool)
	// again gives back a key whose query was not sent or not answered well.
	again(key uint64)
}

// uniform draws each of n keys with equal chance.
type uniform struct {
	n   uint64
	rng *rand.Rand
}

func (u *uniform) next() (uint64, bool) { return u.rng.Uint64N(u.n), true }
func (u *uniform) again(uint64)         {}

// zipf draws key i with a chance in proportion to 1/(i+1)^s. It shares its table
// with the other threads.
type zipf struct {
	table *aliasTable
	rng   *rand.Rand
}

func (z *zipf) next() (uint64, bool) { return z.table.pick(z.rng.Uint64()), true }
func (z *zipf) again(uint64)         {}

// aliasTable draws from any discrete distribution in constant time (Walker's
// alias method, as Vose builds it): cell i is key i with chance keep[i]/2^32 and
// key other[i] otherwise.
type aliasTable struct {
	keep  []uint32
	other []uint32
}

// newZipfTable builds the table for n keys, at most 2^32, and exponent s.
func newZipfTable(n uint64, s float64) *aliasTable {
	weight := make([]float64, n)
	sum := 0.0
	for i := range weight {
		weight[i] = math.Pow(float64(i+1), -s)
		sum += weight[i]
	}
	t := &aliasTable{keep: make([]uint32, n), other: make([]uint32, n)}
	var small, large []uint32 // cells with less and with more than their share
	for i := range weight {
		weight[i] *= float64(n) / sum
		if weight[i] < 1 {
			small = append(small, uint32(i))
		} else {
			large = append(large, uint32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		poor, rich := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.keep[poor], t.other[poor] = uint32(weight[poor]*(1<<32)), rich
		if weight[rich] -= 1 - weight[poor]; weight[rich] < 1 {
			large = large[:len(large)-1]
			small = append(small, rich)
		}
	}
	// What is left has exactly its share, but for rounding.
	for _, i := range append(small, large...) {
		t.keep[i], t.other[i] = math.MaxUint32, i
	}
	return t
}

// pick turns 64 random bits into a key.
func (t *aliasTable) pick(bits uint64) uint64 {
	cell := bits >> 32 * uint64(len(t.keep)) >> 32
	if uint32(bits) <= t.keep[cell] {
		return cell
	}
	return uint64(t.other[cell])
}

// once draws every key from first up to end one time, and those given back again.
type once struct {
	first, end uint64
	lost       []uint64
}

func (o *once) next() (uint64, bool) {
	if o.first < o.end {
		o.first++
		return o.first - 1, true
	}
	if n := len(o.lost); n > 0 {
		key := o.lost[n-1]
		o.lost = o.lost[:n-1]
		return key, true
	}
	return 0, false
}

func (o *once) again(key uint64) { o.lost = append(o.lost, key) }

// onlyOnce draws every key from first up to end one time. A key that is given back stays lost: the server may know
// its name by now.
type onlyOnce struct{ first, end uint64 }

func (o *onlyOnce) next() (uint64, bool) {
	if o.first == o.end {
		return 0, false
	}
	o.first++
	return o.first - 1, true
}

func (o *onlyOnce) again(uint64) {}

// fresh draws keys that no other stream of this or an earlier run has drawn, as
// far as chance allows: it counts up from a random number.
type fresh struct{ key uint64 }

func (f *fresh) next() (uint64, bool) {
	f.key++
	return f.key, true
}

func (f *fresh) again(uint64) {}
