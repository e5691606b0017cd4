package slots

import (
	"math/rand/v2"
	"testing"
)

// No slot is given to two at a time, all are given out before the table is full, and contents stay.
func TestTable(t *testing.T) {
	const size = 50
	rng := rand.New(rand.NewPCG(1, 2))
	table, taken := New[int](size), map[uint32]int{}
	for n := range 100_000 {
		if rng.IntN(100) < 30+n/2000 {
			i, ok := table.Take()
			if _, twice := taken[i]; ok && twice || ok == (len(taken) == size) {
				t.Fatalf("slot %d, %v while %d are taken", i, ok, len(taken))
			}
			if ok {
				*table.At(i), taken[i] = n, n
			}
		} else {
			for i := range taken {
				table.Put(i)
				delete(taken, i)
				break
			}
		}
		if table.Used() != len(taken) || len(table.Touched()) < len(taken) || table.Len() != size {
			t.Fatalf("%d used of %d, %d are taken", table.Used(), table.Len(), len(taken))
		}
		for i, want := range taken {
			if *table.At(i) != want {
				t.Fatalf("slot %d has %d, want %d", i, *table.At(i), want)
			}
		}
	}
}

// There are at least as many heads as slots, no more than twice as many, and each is empty.
func TestHeads(t *testing.T) {
	for n := 1; n < 70; n++ {
		h := Heads(n)
		if len(h) < n || len(h) >= 2*n && n > 1 || len(h)&(len(h)-1) != 0 {
			t.Errorf("%d heads for %d slots", len(h), n)
		}
		for _, first := range h {
			if first != -1 {
				t.Errorf("for %d slots: %d", n, first)
			}
		}
	}
}
