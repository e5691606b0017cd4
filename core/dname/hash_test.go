package dname

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// TestHashAvalanche: flipping a bit of the name, one that is not merely letter case, or of the seed, changes
// each bit of the hash about half of the time.
func TestHashAvalanche(t *testing.T) {
	const rounds = 400
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 2, 3, 5, 8, 9, 14, 15, 16, 17, 30, 33, 62} {
		var flips [64]int
		tries := 0
		for range rounds {
			n := Name{byte(size)}
			for range size {
				n = append(n, byte('0'+rnd.IntN(10)))
			}
			n = append(n, 0)
			seed := rnd.Uint64()
			before := Hash(seed, n)
			count := func(after uint64) {
				tries++
				for diff := before ^ after; diff != 0; diff &= diff - 1 {
					flips[bits.TrailingZeros64(diff)]++
				}
			}
			count(Hash(seed^1<<rnd.IntN(64), n))
			n[1+rnd.IntN(size)] ^= 1 << rnd.IntN(4) // stays below the letters
			count(Hash(seed, n))
		}
		for bit, flipped := range flips {
			if share := float64(flipped) / float64(tries); math.Abs(share-0.5) > 0.1 {
				t.Errorf("names of %d octets: bit %d flips in %.2f of the cases", size, bit, share)
			}
		}
	}
}

// TestHashSpread: names that count up fill buckets evenly, whichever bits of the hash choose them.
func TestHashSpread(t *testing.T) {
	const buckets, each = 1024, 100
	for _, shift := range []int{0, 20, 54} {
		var filled [buckets]int
		for i := range buckets * each {
			n, err := ParseText(nil, fmt.Sprintf("host%d.example.com", i))
			if err != nil {
				t.Fatal(err)
			}
			filled[Hash(42, n)>>shift%buckets]++
		}
		var chi2 float64
		for _, n := range filled {
			chi2 += float64((n-each)*(n-each)) / each
		}
		// With 1023 degrees of freedom the mean is 1023 and the deviation 45; allow six deviations.
		if chi2 > 1023+6*45 {
			t.Errorf("bits from %d: chi squared %.0f", shift, chi2)
		}
	}
}
