package policy

import (
	"net/netip"
	"testing"
)

// FuzzFairQueue has FairQueue do what its slow twin does, step for step.
func FuzzFairQueue(f *testing.F) {
	f.Add([]byte{8, 16, 50, 0, 1, 64, 1, 65, 2, 128, 0, 192, 0})
	f.Add([]byte("\x04\x08\x64AAAABBBBCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij0123456789"))
	f.Add([]byte("\x01\x01\x01@@@@\x80\xc0@\x80@\xc0\x00\x00"))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) < 3 {
			return
		}
		o := FairOptions{
			Seed:     uint64(script[0]),
			InFlight: int(script[0]%24) + 1,
			Parked:   int(script[1]%32) + 1,
			Share:    int(script[2]%100) + 1,
			IPv4Bits: 31,
			IPv6Bits: 56,
		}
		fast, slow := NewFairQueue(o), newSlowQueue(o)
		type flight struct {
			c Client
			p netip.Prefix
		}
		var flying []flight
		for i, b := range script[3:] {
			addr, now := addr4(int(b&15)), int64(i)
			if b&16 != 0 {
				addr = netip.AddrFrom16(addr.As16())
			}
			switch b >> 6 {
			case 1:
				v, evicted := fast.Push(addr, uint32(i), now)
				want, gone := slow.push(addr, uint32(i), now, evicted)
				if v != want || gone != (want == ParkedEvicting) {
					t.Fatalf("step %d: push %v, evicted %d; want %v", i, v, evicted, want)
				}
			case 0, 2:
				q, c, ok := fast.Pop()
				wantQ, p, want := slow.pop()
				if ok != want || q != wantQ {
					t.Fatalf("step %d: pop %d %v, want %d %v", i, q, ok, wantQ, want)
				}
				if ok {
					flying = append(flying, flight{c, p})
				}
			case 3:
				if n := len(flying); n > 0 && b&1 == 0 {
					k := int(b>>1&15) % n
					fast.Release(flying[k].c)
					slow.release(flying[k].p)
					flying = append(flying[:k], flying[k+1:]...)
				} else if b&1 == 1 {
					q, ok := fast.Expire(now - 8)
					if wantQ, want := slow.expire(now - 8); ok != want || q != wantQ {
						t.Fatalf("step %d: expire %d %v, want %d %v", i, q, ok, wantQ, want)
					}
				}
			}
			inFlight, parked, longest := slow.totals()
			if s := fast.Stats(); s.InFlight != inFlight || s.Parked != parked || s.Clients != len(slow.clients) || fast.longest != longest {
				t.Fatalf("step %d: %+v, longest %d; want %d in flight, %d parked, %d clients, longest %d",
					i, s, fast.longest, inFlight, parked, len(slow.clients), longest)
			}
		}
	})
}
