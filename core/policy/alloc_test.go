package policy

import (
	"net/netip"
	"testing"
)

func TestFairQueueAllocs(t *testing.T) {
	f := testQueue(64, 256, 25)
	n := 0
	if got := testing.AllocsPerRun(1000, func() {
		for range 100 {
			n++
			addr := addr4(n * 7919 % 5000)
			f.Push(addr, uint32(n), int64(n))
			if _, c, ok := f.Pop(); ok && n%3 == 0 {
				f.Release(c)
			}
			f.Expire(int64(n - 200))
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestACLAllocs(t *testing.T) {
	a := NewACL([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")})
	zoned := netip.MustParseAddr("fe80::1%eth0")
	if got := testing.AllocsPerRun(1000, func() {
		for i := range 10 {
			a.Contains(addr4(i))
			a.Contains(zoned)
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkACL(b *testing.B) {
	a := NewACL([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")})
	x, y := netip.AddrFrom16(addr4(1).As16()), netip.AddrFrom16(addr4(2).As16())
	b.Run("same", func(b *testing.B) {
		for b.Loop() {
			a.Contains(x)
		}
	})
	b.Run("other", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if i&1 == 0 {
				a.Contains(x)
			} else {
				a.Contains(y)
			}
		}
	})
}

// One miss on its way through the queue, and one push of a flood that is refused.
func BenchmarkFairQueue(b *testing.B) {
	b.Run("park", func(b *testing.B) {
		f := testQueue(4096, 16384, 25)
		for i := range 4000 {
			f.Push(addr4(i), uint32(i), 0)
		}
		for i := 0; b.Loop(); i++ {
			f.Push(addr4(i%4000), uint32(i), 0)
			_, c, _ := f.Pop()
			f.Release(c)
		}
	})
	b.Run("refuse", func(b *testing.B) {
		f := testQueue(4096, 16384, 25)
		for i := range 4096 {
			f.Push(addr4(1), uint32(i), 0)
		}
		for b.Loop() {
			f.Push(addr4(1), 1, 0)
		}
	})
}
