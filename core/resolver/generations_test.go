package resolver

import (
	"encoding/binary"
	"testing"
)

func TestGenerations(t *testing.T) {
	const half = 100
	g := newGenerations[int](half)
	key := func(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }
	for i := range 10000 {
		g.put(key(i), i)
		if v, ok := g.get(key(i)); !ok || v != i {
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
	g := newGenerations[int](half)
	key := func(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }
	for i := range 10000 {
		g.put(key(i), i)
	}
	for i := 9999; i > 9999-half; i-- {
		if _, ok := (&generations[int]{young: g.young, old: g.old, half: 1 << 30}).get(key(i)); !ok {
			t.Fatalf("%d is gone", i)
		}
	}
}
