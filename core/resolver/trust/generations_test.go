package trust

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// number is an entry that takes no more than its place.
type number int

func (number) bytes() int { return 0 }

// numberBytes is what a number takes with its key of four octets.
const numberBytes = perEntry + 8

func key(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }

func TestGenerations(t *testing.T) {
	const half = 100
	g := newGenerations[number](half * numberBytes)
	for i := range 10000 {
		g.put(key(i), number(i))
		if v, ok := g.get(key(i)); !ok || v != number(i) {
			t.Fatalf("%d is gone at once", i)
		}
		if _, ok := g.get(key(0)); !ok {
			t.Fatalf("what is always in use was forgotten at %d", i)
		}
		if n := len(g.young) + len(g.old); n > 2*half {
			t.Fatalf("%d entries", n)
		}
	}
	g.remove(key(9999))
	if _, ok := g.get(key(9999)); ok {
		t.Fatal("removed, and still there")
	}
	g.put(key(0), -1)
	if v, _ := g.get(key(0)); v != -1 {
		t.Fatalf("an old version: %d", v)
	}
}

// What was put less than half a size ago is there, whatever came in between.
func TestGenerationsKeepTheNewest(t *testing.T) {
	const half = 100
	g := newGenerations[number](half * numberBytes)
	for i := range 10000 {
		g.put(key(i), number(i))
	}
	for i := 9999; i > 9999-half; i-- {
		if _, ok := (&generations[number]{young: g.young, old: g.old, half: 1 << 30}).get(key(i)); !ok {
			t.Fatalf("%d is gone", i)
		}
	}
}

// chunk is an entry of so many bytes.
type chunk int

func (c chunk) bytes() int { return int(c) }

// The bound is one of bytes: few large entries, or many small ones; and one that is larger than a half is not kept.
func TestGenerationsWeigh(t *testing.T) {
	const half = 10_000
	g := newGenerations[chunk](half)
	rng := rand.New(rand.NewPCG(5, 6))
	weigh := func(m map[string]chunk) (n int) {
		for k, v := range m {
			n += v.bytes() + 2*len(k) + perEntry
		}
		return n
	}
	for range 20_000 {
		k := key(rng.IntN(500))
		switch rng.IntN(8) {
		case 0:
			g.remove(k)
		case 1:
			g.get(k)
		default:
			g.put(k, chunk(rng.IntN(1<<rng.IntN(15))))
		}
		if young, old := weigh(g.young), weigh(g.old); young != g.weight || young > half || old > half {
			t.Fatalf("%d bytes, counted as %d, and %d", young, g.weight, old)
		}
	}
}
