package dname

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// No difference between two names makes their hashes meet more often than by accident, under random seeds: neither whole, nor
// in the bits that choose a bucket. Who fills a table with chosen names does not know the seed, but may look for differences
// that vanish under every seed, as a multiplication lets the highest bits of a word do.
func TestHashHasNoDifferenceThatVanishes(t *testing.T) {
	vanishing(Hash, func(what string, args ...any) bool {
		t.Errorf(what, args...)
		return true
	})
}

// The search finds what is wrong with a hash that has such a difference: bit 63 of one word, and bits 63 and 31 of the next.
func TestSearchFindsDifferenceThatVanishes(t *testing.T) {
	found := 0
	vanishing(func(seed uint64, n Name) uint64 {
		h := seed
		for ; len(n) >= 8; n = n[8:] {
			h = (h ^ binary.LittleEndian.Uint64(n)) * 0x9e3779b97f4a7c15
			h ^= h >> 32
		}
		return h
	}, func(string, ...any) bool { found++; return found < 10 })
	if found == 0 {
		t.Error("nothing is found")
	}
}

// vanishing looks for differences between names that a hash does not see, and reports them until it is told to stop.
func vanishing(hash func(seed uint64, n Name) uint64, report func(what string, args ...any) bool) {
	const (
		seeds   = 64
		buckets = 1 << 12
		most    = 6 // of 64 pairs in the same bucket: by accident one in 64^6/(6! * 4096^6), 10^-14 for each difference
	)
	rnd, stop := rand.New(rand.NewPCG(9, 10)), false
	for _, size := range []int{12, 16, 24, 34, 52} {
		base := make(Name, size)
		for i := range base {
			base[i] = byte(rnd.IntN(64)) // no letters, whose case does not matter, and none after a flip of its lower bits
		}
		try := func(what string, args []int, edit func(n Name)) {
			if stop {
				return
			}
			other := append(Name(nil), base...)
			edit(other)
			whole, low, high := 0, 0, 0
			for range seeds {
				seed := rnd.Uint64()
				a, b := hash(seed, base), hash(seed, other)
				if a == b {
					whole++
				}
				if a%buckets == b%buckets {
					low++
				}
				if a>>52 == b>>52 {
					high++
				}
			}
			if whole > 0 || low > most || high > most {
				stop = stop || !report("names of %d octets, %s %v: of %d seeds %d give the same hash, %d the same lower bits, %d the same upper bits", size, what, args, seeds, whole, low, high)
			}
		}
		bits := min(8*size, 34*8)
		flip := func(n Name, bit int) { n[bit/8] ^= 1 << (bit % 8) }
		for i := range bits {
			if folds(base, i) {
				continue
			}
			try("flipped", []int{i}, func(n Name) { flip(n, i) })
			for j := i + 1; j < bits; j++ {
				if !folds(base, j) {
					try("flipped", []int{i, j}, func(n Name) { flip(n, i); flip(n, j) })
				}
			}
		}
		for i := 63; i+64 < bits; i += 64 {
			try("flipped", []int{i, i + 64, i + 32}, func(n Name) { flip(n, i); flip(n, i+64); flip(n, i+32) })
		}
		for range 20_000 { // three bits, with two of a distance of 32 as where halves of a product are folded
			i, j := rnd.IntN(bits), rnd.IntN(bits-32)
			if i != j && i != j+32 && !folds(base, i) && !folds(base, j) && !folds(base, j+32) {
				try("flipped", []int{i, j, j + 32}, func(n Name) { flip(n, i); flip(n, j); flip(n, j+32) })
			}
		}
		for i := 0; i+16 <= size; i += 8 { // words that change places, or sign, with the next one
			try("swapped", []int{i}, func(n Name) {
				var w [8]byte
				copy(w[:], n[i:])
				copy(n[i:], n[i+8:i+16])
				copy(n[i+8:], w[:])
			})
			try("turned", []int{i}, func(n Name) {
				for k := i; k < i+16; k++ {
					n[k] = ^n[k]
				}
			})
		}
	}
}

// folds tells whether a flipped bit could make or meet a letter, whose case does not count.
func folds(n Name, bit int) bool {
	other := n[bit/8] ^ 1<<(bit%8)
	return other|0x20 >= 'a' && other|0x20 <= 'z'
}
