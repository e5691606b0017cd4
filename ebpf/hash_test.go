package ebpf

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
)

// twins are two names that no chain of multiplications by an odd constant and of shifts by 32 tells apart: they differ in
// bit 63 of a word, and in bits 63 and 31 of the next, which undo that.
func twins() (a, b dname.Name) {
	a = dnametest.Name("0123456789012345678901.")
	b = slices.Clone(a)
	for _, at := range []int{7, 8 + 3, 8 + 7} {
		b[at] ^= 0x80
	}
	return a, b
}

// Flips of high bits that cancel one another collide under no seed, neither for the table nor for the shards.
func TestHashOfTwins(t *testing.T) {
	a, b := twins()
	together := 0
	for seed := range 2000 {
		s := Seed{}
		binary.LittleEndian.PutUint32(s[:], uint32(seed))
		if k := newQuestionKeys(s); k.key(a, 1, 0) == k.key(b, 1, 0) {
			t.Fatalf("seed %d: %v and %v have the same key", seed, a, b)
		}
		if k := newOwnerKeys(s); k.owner(a, 64) == k.owner(b, 64) {
			together++
		}
	}
	if together > 100 { // one of 64
		t.Errorf("under %d of 2000 seeds both names have the same of 64 shards", together)
	}
}

// Whatever bits two names differ in, the chance of the same place is that of two names drawn at random.
func TestHashOfDifferences(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const rounds, places = 200_000, 1 << 10
	same := [4]int{}
	for range rounds {
		var s Seed
		for i := 0; i < len(s); i += 8 {
			binary.LittleEndian.PutUint64(s[i:], random.Uint64())
		}
		k := newQuestionKeys(s)
		a := make([]byte, 32)
		for i := range a {
			a[i] = byte(random.Uint32()) & 0x9f // no letters
		}
		b := slices.Clone(a)
		at := random.IntN(3)
		w, v := binary.LittleEndian.Uint64(b[at*8:]), binary.LittleEndian.Uint64(b[at*8+8:])
		binary.LittleEndian.PutUint64(b[at*8:], w^1<<63)
		binary.LittleEndian.PutUint64(b[at*8+8:], v^bits.RotateLeft64(1<<63|1<<31, 32*random.IntN(2)))
		x, y := k.key(a, 1, 0), k.key(b, 1, 0)
		for i, shift := range [4]int{0, 16, 32, 48} {
			if x>>shift%places == y>>shift%places {
				same[i]++
			}
		}
	}
	for i, n := range same {
		if n > 2*rounds/places {
			t.Errorf("bits %d to %d: %d of %d pairs are alike, want some %d", 16*i, 16*i+9, n, rounds, rounds/places)
		}
	}
}

func TestOwnerSpread(t *testing.T) {
	const names, shards = 20000, 7
	keys := newOwnerKeys(Seed{99})
	var got [shards]int
	for i := range names {
		got[keys.owner(dnametest.Name(fmt.Sprintf("h%d.example.", i)), shards)]++
	}
	for s, n := range got {
		if n < names/shards*9/10 || n > names/shards*11/10 {
			t.Errorf("shard %d owns %d of %d names", s, n, names)
		}
	}
}

func TestKeysOfQuestions(t *testing.T) {
	one, two := newQuestionKeys(Seed{1}), newQuestionKeys(Seed{2})
	a := dnametest.Name("a.example.")
	if one.key(a, 1, 0) == two.key(a, 1, 0) {
		t.Error("the seed does not matter")
	}
	if one.key(dnametest.Name("wWw.Example."), 1, 0) != one.key(dnametest.Name("www.example."), 1, 0) {
		t.Error("letter case matters")
	}
	seen := map[Key]string{}
	for typ := range uint16(300) {
		for bit := range uint8(4) {
			what := fmt.Sprintf("type %d, bits %d", typ, bit)
			if other, ok := seen[one.key(a, typ, bit)]; ok {
				t.Errorf("%s has the key of %s", what, other)
			}
			seen[one.key(a, typ, bit)] = what
		}
	}
}
