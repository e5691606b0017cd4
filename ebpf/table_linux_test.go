package ebpf

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// newTable makes a table in ordinary memory.
func newTable(slots, limit int) *table {
	return &table{slots: make([]xdpAnswer, slots), limit: limit, freed: func(uint64) {}}
}

// Filled as far as Load lets it be, the table has a place for each answer, and each is where its key says.
func TestTableHoldsAll(t *testing.T) {
	const slots, limit = 1 << 14, 1 << 14 * 4 / 5
	tab := newTable(slots, limit)
	rnd := rand.New(rand.NewPCG(1, 2))
	keys := make([]uint64, limit)
	for i := range keys {
		keys[i] = rnd.Uint64()
		at := tab.place(keys[i], 1, 0)
		if at < 0 {
			t.Fatalf("no place for number %d of %d", i, limit)
		}
		tab.write(at, &xdpAnswer{Key: keys[i], Serial: uint32(i + 1), Generation: 1, Expires: 10, Used: 5})
	}
	for i, k := range keys {
		if at := tab.find(k); at < 0 || tab.slots[at].Serial != uint32(i+1) {
			t.Fatalf("number %d is not found", i)
		}
	}
	seen := map[uint64]bool{}
	used := 0
	for i := range tab.slots {
		if e := &tab.slots[i]; e.Serial != 0 {
			if used++; seen[e.Key] {
				t.Fatal("an answer is in two places")
			}
			seen[e.Key] = true
		}
	}
	if used != limit || tab.used != limit {
		t.Errorf("%d places are used, %d counted, want %d", used, tab.used, limit)
	}
}

// A random history: what the table holds is what was put in last, and the count of used places is right.
func TestTableHistory(t *testing.T) {
	tab := newTable(64, 40)
	bodies := map[uint64]bool{}
	tab.freed = func(number uint64) {
		if !bodies[number] {
			t.Fatalf("body %d freed twice", number)
		}
		delete(bodies, number)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	last := map[uint64]uint32{}
	generation := uint32(1)
	tab.flush(generation)
	for serial := uint32(1); serial < 200_000; serial++ {
		now := serial / 100
		key := rnd.Uint64N(100) * 0x9e3779b97f4a7c15
		switch rnd.IntN(20) {
		case 0:
			if at := tab.find(key); at >= 0 {
				tab.clear(at)
			}
			delete(last, key)
		case 1:
			if rnd.IntN(50) == 0 {
				generation++
				tab.flush(generation)
			}
		default:
			at := tab.place(key, generation, now)
			if at < 0 {
				continue
			}
			e := xdpAnswer{Key: key, Serial: serial, Generation: generation, Expires: now + rnd.Uint32N(9), Used: now}
			if rnd.IntN(2) == 0 {
				e.Marks = markBeside
				number := 1<<40 + uint64(serial)
				binary.LittleEndian.PutUint64(e.Data[len(e.Data)-8:], number)
				bodies[number] = true
			}
			tab.write(at, &e)
			last[key] = serial
		}
		used, given := 0, 0
		for i := range tab.slots {
			e := &tab.slots[i]
			if e.Serial == 0 {
				continue
			}
			used++
			if e.Generation == generation {
				given++
			}
			if last[e.Key] != e.Serial {
				t.Fatalf("key %x has serial %d, the last is %d", e.Key, e.Serial, last[e.Key])
			}
			if number, ok := e.body(); ok && !bodies[number] {
				t.Fatalf("body %d is gone too early", number)
			}
		}
		if used != tab.used || used > 40 {
			t.Fatalf("%d places are used, %d counted", used, tab.used)
		}
		if tab.room() != 40-given {
			t.Fatalf("room for %d beside %d that are given", tab.room(), given)
		}
	}
}

// A table that may hold nothing takes nothing.
func TestTableWithoutRoom(t *testing.T) {
	tab := newTable(2, 0)
	for key := range uint64(4) {
		if at := tab.place(key, 1, 100); at >= 0 {
			t.Errorf("key %d gets place %d", key, at)
		}
	}
}
