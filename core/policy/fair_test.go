package policy

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

func addr4(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func testQueue(slots, places, share int) *FairQueue {
	return NewFairQueue(FairOptions{Seed: 1, InFlight: slots, Parked: places, Share: share, IPv4Bits: 32, IPv6Bits: 56})
}

// A client that floods the miss path does not delay another one's single miss by more than one query.
func TestFloodDoesNotDelay(t *testing.T) {
	f := testQueue(100, 1000, 25)
	bad, good := addr4(1), addr4(2)
	var flying []Client
	for i := range 300_000 {
		f.Push(bad, uint32(i), int64(i))
		if _, c, ok := f.Pop(); ok {
			flying = append(flying, c)
		}
	}
	if s := f.Stats(); s.InFlight != 88 || s.Parked != 250 {
		t.Fatalf("flood holds %d slots and %d places, want 88 and 250", s.InFlight, s.Parked)
	}
	for i := range 12 { // the reserve: at once
		f.Push(good, uint32(1<<21+i), 300_000)
		if q, _, ok := f.Pop(); !ok || q != uint32(1<<21+i) {
			t.Fatal("no slot for the good client")
		}
	}
	if v, _ := f.Push(good, 1<<20, 300_001); v != Parked {
		t.Fatalf("good miss: %v", v)
	}
	if _, _, ok := f.Pop(); ok {
		t.Fatal("more slots than there are")
	}
	f.Release(flying[0])
	if q, _, ok := f.Pop(); !ok || q != 1<<20 {
		t.Fatalf("first slot went to query %d, %v", q, ok)
	}
}

func TestAddressOfClient(t *testing.T) {
	f := NewFairQueue(FairOptions{Seed: 1, InFlight: 4, Parked: 4, Share: 100, IPv4Bits: 24, IPv6Bits: 56})
	for _, c := range [][2]string{{"192.0.2.77", "192.0.2.0"}, {"2001:db8:1:ff77::9", "2001:db8:1:ff00::"}} {
		f.Push(netip.MustParseAddr(c[0]), 1, 0)
		if _, client, ok := f.Pop(); !ok || f.Address(client) != netip.MustParseAddr(c[1]) {
			t.Errorf("%s: client %v", c[0], f.Address(client))
		}
	}
}

// Clients that wait get equal numbers of turns, whatever they have parked.
func TestTurnsAreEqual(t *testing.T) {
	f := testQueue(10, 10_000, 10)
	const clients = 10
	for i := range clients {
		for q := range 100 * (i + 1) {
			f.Push(addr4(i), uint32(i<<16|q), 0)
		}
	}
	turns, next := [clients]int{}, [clients]int{}
	for range 100 * clients {
		q, c, ok := f.Pop()
		if !ok {
			t.Fatal("nothing to pop")
		}
		i := int(q >> 16)
		if int(q&0xffff) != next[i] {
			t.Fatalf("client %d: query %d before %d", i, q&0xffff, next[i])
		}
		next[i]++
		turns[i]++
		f.Release(c)
	}
	for i, n := range turns {
		if n != 100 {
			t.Errorf("client %d had %d turns, want 100", i, n)
		}
	}
}

func TestSharesWhileOthersWait(t *testing.T) {
	f := testQueue(16, 100, 25)
	a, b := addr4(1), addr4(2)
	var held []Client
	for {
		f.Push(a, 1, 0)
		_, c, ok := f.Pop()
		if !ok {
			break
		}
		held = append(held, c)
	}
	if len(held) != 14 {
		t.Fatalf("alone a client takes %d of 16 slots, want 14", len(held))
	}
	for i := range 10 {
		f.Push(b, uint32(100+i), 0)
	}
	// Two slots are free: both go to b, which is below its share of 4. Then each slot that comes back goes
	// to b until it has its share; then two stay free for newcomers, and the rest goes to a and b in turn.
	var got []uint32
	for range 2 {
		q, _, _ := f.Pop()
		got = append(got, q)
	}
	for range 6 {
		f.Release(held[0])
		q, _, ok := f.Pop()
		if ok {
			got = append(got, q)
		}
	}
	want := []uint32{100, 101, 102, 103, 1, 104}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestFullTakesFromTheLongest(t *testing.T) {
	f := testQueue(1, 10, 100)
	for i := range 9 {
		f.Push(addr4(1), uint32(i), 0)
	}
	f.Push(addr4(2), 100, 0)
	for i, want := range []struct {
		v       Verdict
		evicted uint32
	}{{ParkedEvicting, 8}, {ParkedEvicting, 7}, {ParkedEvicting, 6}, {ParkedEvicting, 5}, {RefusedFull, 0}} {
		if v, e := f.Push(addr4(2), uint32(101+i), 0); v != want.v || e != want.evicted {
			t.Errorf("push %d: %v %d, want %v %d", i, v, e, want.v, want.evicted)
		}
	}
	if v, _ := f.Push(addr4(1), 1, 0); v != RefusedFull {
		t.Errorf("the longest queue pushes: %v", v)
	}
}

func TestGrouping(t *testing.T) {
	f := testQueue(4, 4, 25)
	f.Push(netip.MustParseAddr("2001:db8:0:100::1"), 6, 0)
	if _, _, ok := f.Pop(); !ok {
		t.Fatal("no slot")
	}
	f.Push(netip.MustParseAddr("2001:db8:0:1ff:1::"), 7, 0)
	if n := f.Stats().Clients; n != 1 {
		t.Errorf("one /56: %d clients", n)
	}
	f.Push(netip.MustParseAddr("2001:db8:0:200::1"), 8, 0)
	f.Push(netip.MustParseAddr("192.0.2.1"), 9, 0)
	f.Push(netip.MustParseAddr("::ffff:192.0.2.1"), 10, 0)
	if n := f.Stats().Clients; n != 3 {
		t.Errorf("two /56 and an IPv4 address: %d clients", n)
	}
}

func TestExpireIsOldestFirst(t *testing.T) {
	f := testQueue(1, 10, 100)
	f.Push(addr4(1), 1, 10)
	f.Push(addr4(2), 2, 20)
	f.Push(addr4(1), 3, 30)
	for _, want := range []uint32{1, 2} {
		if q, ok := f.Expire(25); !ok || q != want {
			t.Errorf("expired %d, %v, want %d", q, ok, want)
		}
	}
	if q, ok := f.Expire(25); ok {
		t.Errorf("expired %d too early", q)
	}
}

// Whatever is pushed comes out once, and when all is given back nothing is left.
func TestNothingLeaks(t *testing.T) {
	f := testQueue(50, 200, 30)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		parked := map[uint32]bool{}
		var flying []Client
		for i := range 5000 {
			switch rnd.IntN(3) {
			case 0:
				v, evicted := f.Push(addr4(rnd.IntN(300)), uint32(i), int64(i))
				if v == ParkedEvicting {
					if !parked[evicted] {
						t.Fatalf("evicted %d, which was not parked", evicted)
					}
					delete(parked, evicted)
				}
				if v <= ParkedEvicting {
					parked[uint32(i)] = true
				}
			case 1:
				if q, c, ok := f.Pop(); ok {
					if !parked[q] {
						t.Fatalf("popped %d, which was not parked", q)
					}
					delete(parked, q)
					flying = append(flying, c)
				}
			case 2:
				if len(flying) > 0 {
					f.Release(flying[0])
					flying = flying[1:]
				}
			}
		}
		for len(flying) > 0 {
			f.Release(flying[0])
			flying = flying[1:]
		}
		for {
			q, ok := f.Expire(5000)
			if !ok {
				break
			}
			delete(parked, q)
		}
		if s := f.Stats(); len(parked) != 0 || s.Clients != 0 || s.InFlight != 0 || s.Parked != 0 || f.longest != 0 {
			t.Fatalf("left over: %d queries, %+v", len(parked), s)
		}
	}
}
