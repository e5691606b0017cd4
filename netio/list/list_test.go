package list

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type item struct {
	n    int
	node Node[*item]
}

func elements(l *List[*item]) (all []int) {
	for i := l.First(); i != nil; i = i.node.Next() {
		all = append(all, i.n)
	}
	return all
}

// Two lists behave as two slices, whatever is moved between them.
func TestList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var lists [2]List[*item]
	var want [2][]int
	items := make([]item, 20)
	for i := range items {
		items[i].n = i
	}
	for range 20_000 {
		i := &items[rng.IntN(len(items))]
		for k := range lists {
			if at := slices.Index(want[k], i.n); (at >= 0) != i.node.On(&lists[k]) {
				t.Fatalf("%d on list %d: %v", i.n, k, at < 0)
			} else if at >= 0 {
				want[k] = slices.Delete(want[k], at, at+1)
			}
		}
		i.node.Remove()
		if k := rng.IntN(3); k < len(lists) {
			lists[k].Push(&i.node, i)
			want[k] = append(want[k], i.n)
		}
		for k := range lists {
			if got := elements(&lists[k]); !slices.Equal(got, want[k]) {
				t.Fatalf("list %d: %v, want %v", k, got, want[k])
			}
		}
	}
}

func TestListAllocs(t *testing.T) {
	var l List[*item]
	var i item
	if n := testing.AllocsPerRun(100, func() { l.Push(&i.node, &i); i.node.Remove() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
