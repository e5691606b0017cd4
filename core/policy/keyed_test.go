package policy

import (
	"math/rand/v2"
	"testing"
)

// No single bit, and no two bits, of a client's prefix vanish in its hash, and clients in a row, as who has a network can
// choose them, are spread over the chains.
func TestPrefixHashIsKeyed(t *testing.T) {
	const buckets = 4096
	rnd := rand.New(rand.NewPCG(11, 12))
	for _, base := range []prefix{{0x20010db801020304, 0}, {0x20010db801020304, 0x0506070800000001}, {0, 0xffffc0000201}} {
		flip := func(p prefix, bit int) prefix {
			if bit < 64 {
				p.low ^= 1 << bit
			} else {
				p.high ^= 1 << (bit - 64)
			}
			return p
		}
		for i := range 128 {
			for j := i; j < 128; j++ {
				other := flip(base, i)
				if j > i {
					other = flip(other, j)
				}
				same := 0
				for range 64 {
					if seed := rnd.Uint64(); base.hash(seed)%buckets == other.hash(seed)%buckets {
						same++
					}
				}
				if same > 6 {
					t.Errorf("%x, bits %d and %d flipped: the same chain under %d of 64 seeds", base, i, j, same)
				}
			}
		}
	}
	for range 8 {
		seed, most := rnd.Uint64(), 0
		chains := map[uint64]int{}
		for i := range uint64(buckets) {
			c := prefix{0, 0xffff0a000000 + i}.hash(seed) % buckets
			chains[c]++
			most = max(most, chains[c])
		}
		if most > 12 {
			t.Errorf("%d clients in one chain", most)
		}
	}
}
