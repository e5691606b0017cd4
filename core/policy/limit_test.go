package policy

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// slowLimiter is Limiter told with a map, without a bound.
type slowLimiter struct {
	o   LimitOptions
	due map[netip.Prefix]int64
}

func (s *slowLimiter) admit(now int64, addr netip.Addr) bool {
	in := func(list []netip.Prefix) bool {
		for _, p := range list {
			if p.Contains(addr.Unmap()) {
				return true
			}
		}
		return false
	}
	if in(s.o.Deny) {
		return false
	}
	if in(s.o.Exempt) {
		return true
	}
	bits := s.o.IPv6Bits
	if addr = addr.Unmap(); addr.Is4() {
		bits = s.o.IPv4Bits
	}
	p, _ := addr.Prefix(bits)
	interval := 1e9 / int64(s.o.PerSecond)
	due := max(s.due[p], now)
	if due-now > max(interval*int64(s.o.Burst-1), 10e6) {
		return false
	}
	s.due[p] = due + interval
	return true
}

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// While there is room, the Limiter does what its slow twin does.
func TestLimiterAgrees(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, o := range []LimitOptions{
		{PerSecond: 1000, Burst: 20, IPv4Bits: 24, IPv6Bits: 56},
		{PerSecond: 50, Burst: 1, IPv4Bits: 32, IPv6Bits: 64, Exempt: prefixes("10.0.1.0/24", "2001:db8:0:1::/64")},
		{PerSecond: 7, Burst: 500, IPv4Bits: 8, IPv6Bits: 16, Deny: prefixes("10.0.1.0/24", "2001:db8:0:1::/64"), Exempt: prefixes("10.0.1.7/32")},
	} {
		l, slow := NewLimiter(o), &slowLimiter{o, map[netip.Prefix]int64{}}
		now, limited := int64(1e9), 0
		for range 50000 {
			now += rnd.Int64N(400_000)
			b := [16]byte{10: 0xff, 11: 0xff, 12: 10, 14: byte(rnd.IntN(3)), 15: byte(rnd.IntN(3))}
			if rnd.IntN(2) == 0 {
				b = [16]byte{0: 0x20, 1: 1, 2: 0xd, 3: 0xb8, 7: byte(rnd.IntN(3)), 15: byte(rnd.IntN(3))}
			}
			got, want := l.Admit(now, b, false) == Admitted, slow.admit(now, netip.AddrFrom16(b))
			if got != want {
				t.Fatalf("%+v: %v admitted %v, want %v", o, netip.AddrFrom16(b), got, want)
			}
			if !got {
				limited++
			}
		}
		if limited < 1000 || limited > 49000 {
			t.Errorf("%+v: %d of 50000 limited: the test says nothing", o, limited)
		}
	}
}

// With more clients than there is room for, one that floods stays limited and one that keeps to its rate is never.
func TestLimiterFull(t *testing.T) {
	l := NewLimiter(LimitOptions{PerSecond: 100, Burst: 10, IPv4Bits: 32, IPv6Bits: 64, Seed: 3})
	flood, good := [16]byte{10: 0xff, 11: 0xff, 12: 192}, [16]byte{10: 0xff, 11: 0xff, 12: 193}
	admitted := 0
	for i := range 400_000 { // 2 s
		now := 1e9 + int64(i)*5000
		other := [16]byte{0: 0x20, 1: 1}
		binary.BigEndian.PutUint32(other[4:], uint32(i))
		if l.Admit(now, other, false) != Admitted {
			t.Fatalf("client %d is limited at its first query", i)
		}
		if i%4 == 0 && l.Admit(now, flood, false) == Admitted {
			admitted++
		}
		if i%2000 == 0 && l.Admit(now, good, false) != Admitted {
			t.Fatalf("a client at its rate is limited")
		}
	}
	if admitted > 210+10 {
		t.Errorf("%d queries of a flood were admitted in 2 s at 100/s", admitted)
	}
}

// Slip is by lot, streams are not limited but denied, and a nil Limiter admits.
func TestLimiterVerdicts(t *testing.T) {
	if NewLimiter(LimitOptions{Slip: 2, Exempt: prefixes("10.0.0.0/8")}) != nil {
		t.Error("without a rate and denials there is a Limiter")
	}
	var none *Limiter
	if none.Admit(1, [16]byte{}, false) != Admitted {
		t.Error("a nil Limiter refuses")
	}
	client := [16]byte{10: 0xff, 11: 0xff, 12: 10}
	var by [4]int
	l := NewLimiter(LimitOptions{PerSecond: 1, Burst: 1, Slip: 4, IPv4Bits: 32, IPv6Bits: 64, Seed: 9})
	for range 8001 {
		by[l.Admit(1e9, client, false)]++
	}
	if by[Admitted] != 1 || by[Slipped] < 1800 || by[Slipped] > 2200 {
		t.Errorf("verdicts %v: want 1 admitted and about 2000 slipped", by)
	}
	if l.Admit(1e9, client, true) != Admitted {
		t.Error("a stream is limited")
	}
	l = NewLimiter(LimitOptions{Deny: prefixes("10.0.0.0/8")})
	for _, stream := range []bool{false, true} {
		if l.Admit(1e9, client, stream) != Denied {
			t.Error("not denied")
		}
	}
}

// A change of the rate keeps what each client has used.
func TestLimiterTakeOver(t *testing.T) {
	o := LimitOptions{PerSecond: 1, Burst: 1, IPv4Bits: 32, IPv6Bits: 64, Seed: 1}
	old := NewLimiter(o)
	client := [16]byte{10: 0xff, 11: 0xff, 12: 10}
	old.Admit(1e9, client, false)
	o.Seed = 2
	next := NewLimiter(o)
	next.TakeOver(old)
	if next.Admit(1e9, client, false) == Admitted {
		t.Error("a new Limiter has forgiven")
	}
	(*Limiter)(nil).TakeOver(old)
	next.TakeOver(nil)
}

func TestLimiterAllocs(t *testing.T) {
	l := NewLimiter(LimitOptions{PerSecond: 100, Burst: 10, Slip: 2, IPv4Bits: 24, IPv6Bits: 56, Exempt: prefixes("10.0.0.0/8"), Deny: prefixes("11.0.0.0/8")})
	i := uint32(0)
	if n := testing.AllocsPerRun(1000, func() {
		for range 100 {
			i += 7919 << 8
			var b [16]byte
			b[10], b[11] = 0xff, 0xff
			binary.BigEndian.PutUint32(b[12:], i)
			l.Admit(int64(i), b, false)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := NewLimiter(LimitOptions{PerSecond: 1000, Burst: 10, IPv4Bits: 32, IPv6Bits: 56, Exempt: prefixes("10.0.0.0/8"), Deny: prefixes("11.0.0.0/8")})
	for name, step := range map[string]uint32{"same": 0, "other": 7919} {
		b.Run(name, func(b *testing.B) {
			client := [16]byte{10: 0xff, 11: 0xff}
			at := uint32(0xc0000000)
			for i := int64(1e9); b.Loop(); i += 1000 {
				at += step
				binary.BigEndian.PutUint32(client[12:], at)
				l.Admit(i, client, false)
			}
		})
	}
}
