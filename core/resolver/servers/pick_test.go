package servers

import (
	"math/rand/v2"
	"testing"
)

// three makes servers that take 10, 11 and 200 ms.
func three() (*Table, []int32) {
	t := NewTable(8, 64, [2]uint64{1, 2})
	var list []int32
	for i, rtt := range []int64{10, 11, 200} {
		s := t.Get(at(i), 1)
		t.At(s).Measured(rtt * ms)
		list = append(list, s)
	}
	return &t, list
}

func shares(t *Table, list []int32, a *Attempts, now int64) (n [8]int) {
	rnd := rand.NewChaCha8([32]byte{3})
	for range 1000 {
		if c := t.Pick(list, a, now, rnd); c.Found() {
			n[c.Server]++
		}
	}
	return n
}

// The fastest and those about as fast share the queries; others get some, to be measured.
func TestPickBySpeed(t *testing.T) {
	table, list := three()
	if n := shares(table, list, new(Attempts), 1); n[0] < 350 || n[1] < 350 || n[2] < 5 || n[2] > 100 {
		t.Errorf("queries: %v", n)
	}
}

// What was asked least comes first, what is down or barred last, and nothing is asked more often than it may.
func TestPickByStanding(t *testing.T) {
	table, list := three()
	var a Attempts
	a.Of(list[0]).Tries, a.Of(list[1]).Tries = 1, 1
	if n := shares(table, list, &a, 1); n[2] != 1000 {
		t.Errorf("with one that was not asked: %v", n)
	}
	table.At(list[2]).Unreachable(1)
	if n := shares(table, list, &a, 1); n[2] != 0 {
		t.Errorf("barred: %v", n)
	}
	if c := table.Pick(list[2:], &a, 1, fixed(1)); !c.Found() || c.standing != standsBarred || !c.Pressing() {
		t.Errorf("with nobody else: %+v", c)
	}
	for _, i := range list {
		a.Of(i).Tries = MaxPerServer
	}
	if c := table.Pick(list, &a, 1, fixed(1)); c.Found() {
		t.Errorf("all were asked enough: %+v", c)
	}
	if table.OnceMore(a.Of(list[1])); table.Pick(list, &a, 1, fixed(1)).Server != list[1] {
		t.Error("one that may be asked once more is not")
	}
	if a.Of(list[1]).Excluded = true; table.Pin(at(0), 1) != list[0] || table.Pick(list, &a, 1, fixed(1)).Server != list[0] {
		t.Error("a pinned server may be asked more often than others")
	}
}

// Few questions at a time wait for a server that is down.
func TestFewWaitForTheSilent(t *testing.T) {
	table, list := three()
	s := table.At(list[0])
	for now := int64(1); !s.Down(); now += 1e10 {
		s.Overdue(now+1e9, now)
	}
	s.overdue = 0
	asked := 0
	for ; asked < 64; asked++ {
		if c := table.Pick(list[:1], new(Attempts), 1e12, fixed(1)); !c.Found() {
			if !c.Full {
				t.Error("nobody may be asked, and no reason is given")
			}
			break
		}
		s.Sent(1e12)
	}
	if asked != minSilent {
		t.Errorf("%d questions wait", asked)
	}
}

// A server that has queries in flight, or is pinned, keeps its index; others give way.
func TestEviction(t *testing.T) {
	table := NewTable(4, 64, [2]uint64{1, 2})
	pinned := table.Pin(at(1), 1)
	busy := table.Get(at(2), 1)
	table.At(busy).Sent(2)
	for i := range 100 {
		if table.Get(at(10+i), int64(10+i)) < 0 {
			t.Fatal("no room")
		}
	}
	if table.Find(at(1)) != pinned || table.Find(at(2)) != busy || table.Len() != 4 || table.Evicted() != 98 || table.Find(at(10)) >= 0 {
		t.Errorf("%d servers, %d evicted", table.Len(), table.Evicted())
	}
	table.Unpin()
	table.At(busy).Done(false)
	for i := range 100 {
		table.Get(at(200+i), int64(1000+i))
	}
	if table.Find(at(1)) >= 0 || table.Find(at(2)) >= 0 {
		t.Error("servers that nobody asks stay")
	}
}

func TestPickAllocs(t *testing.T) {
	table, list := three()
	rnd := rand.NewChaCha8([32]byte{4})
	a := new(Attempts)
	if n := testing.AllocsPerRun(100, func() {
		a.Clear()
		c := table.Pick(list, a, 1, rnd)
		a.Of(c.Server).Tries++
		table.Get(at(0), 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
