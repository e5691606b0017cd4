package cache

import (
	"math"
	"math/rand/v2"
	"sort"
)

// A trace is a sequence of requests for names, drawn anew by each call of its maker from fixed seeds.
type trace struct {
	name string
	make func() func(i int) request
}

type request struct {
	id      uint64 // which name
	counted bool   // belongs to the traffic whose hits are counted
	ttl     uint32 // seconds
	now     uint32 // seconds
}

const (
	traceNames    = 500_000
	traceRequests = 3_000_000 // the first third warms up
	traceMemory   = 4 << 20   // bytes; holds a twelfth of the names
	forever       = 1 << 30   // seconds
)

// Kinds of names, in the upper octets of an id.
const (
	popular  = 1 << 40 // drawn by Zipf
	scanned  = 2 << 40 // asked for one after the other
	flooding = 3 << 40 // asked for once
)

// payload is the number of bytes of key and value that an answer for id has: 48 to 144, and 110 for
// an NXDOMAIN with its SOA.
func payload(id uint64) int {
	if id >= flooding {
		return 110
	}
	return 48 + int(scramble(id)%97)
}

func traces() []trace {
	zipf := func(alpha float64) func() func(int) request {
		return func() func(int) request {
			z := newZipf(alpha)
			return func(int) request { return request{z.name(0), true, forever, 0} }
		}
	}
	flood := func(share float64) func() func(int) request {
		return func() func(int) request {
			z, n := newZipf(1), uint64(0)
			return func(i int) request {
				if i >= traceRequests/3 && z.rnd.Float64() < share {
					n++
					return request{flooding | n, false, forever, 0}
				}
				return request{z.name(0), true, forever, 0}
			}
		}
	}
	return []trace{
		{"zipf-0.9", zipf(0.9)},
		{"zipf-1.0", zipf(1.0)},
		{"zipf-1.1", zipf(1.1)},
		{"scan", func() func(int) request { // of every 300,000 requests the last 100,000 go through a list
			z, n := newZipf(1), uint64(0)
			return func(i int) request {
				if i%300_000 >= 200_000 {
					n++
					return request{scanned | n%250_000, false, forever, 0}
				}
				return request{z.name(0), true, forever, 0}
			}
		}},
		{"flood-50", flood(.5)},
		{"flood-90", flood(.9)},
		{"shift", func() func(int) request { // a quarter of the ranks gets other names, four times
			z := newZipf(1)
			return func(i int) request { return request{z.name(uint64(i / 600_000)), true, forever, 0} }
		}},
		{"ttl", func() func(int) request { // 1,000 requests a second, TTLs of 20 s to one day
			z, ttls := newZipf(1), []uint32{20, 60, 60, 300, 300, 300, 3600, 86400}
			return func(i int) request {
				id := z.name(0)
				return request{id, true, ttls[scramble(id^77)%8], uint32(i / 1000)}
			}
		}},
	}
}

// zipf draws ranks k with a probability in proportion to k^-alpha.
type zipf struct {
	rnd *rand.Rand
	cdf []float64
}

func newZipf(alpha float64) *zipf {
	z := &zipf{rand.New(rand.NewPCG(1, 2)), make([]float64, traceNames)}
	sum := 0.0
	for k := range z.cdf {
		sum += math.Pow(float64(k+1), -alpha)
		z.cdf[k] = sum
	}
	return z
}

// name draws a rank and returns the name that has it in the given epoch.
func (z *zipf) name(epoch uint64) uint64 {
	k := uint64(sort.SearchFloat64s(z.cdf, z.rnd.Float64()*z.cdf[len(z.cdf)-1]))
	if epoch > 0 && scramble(k+epoch*7919)%4 == 0 {
		k |= epoch << 32
	}
	return popular | scramble(k)&(1<<40-1)
}

// scramble is murmur3's finalizer.
func scramble(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
