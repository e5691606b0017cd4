package zone

import (
	"bytes"
	"math/rand/v2"
	"sort"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// The search by value finds what a binary search does, however the hashes are spread.
func TestHashSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		label string
		count int
		first byte // mask of the first octet: 0 puts all hashes at the beginning
	}{{"one", 1, 255}, {"two", 2, 255}, {"many", 5000, 255}, {"crowded", 5000, 0}, {"halved", 5000, 0x80}} {
		t.Run(c.label, func(t *testing.T) {
			origin := dname.Name("\x01z\x00")
			b := NewBuilder(origin, Options{})
			b.Add(origin, wire.TypeSOA, wire.ClassIN, 60, make([]byte, 22))
			b.Add(origin, wire.TypeNSEC3PARAM, wire.ClassIN, 60, []byte{1, 0, 0, 0, 0})
			random := func() (h [hashLen]byte) {
				for i := range h {
					h[i] = byte(rng.Uint32())
				}
				h[0] &= c.first
				return h
			}
			var hashes [][hashLen]byte
			for range c.count {
				h := random()
				hashes = append(hashes, h)
				owner := append(appendHash(nil, h[:]), origin...)
				if err := b.Add(owner, wire.TypeNSEC3, wire.ClassIN, 60, append([]byte{1, 0, 0, 0, 0, hashLen}, h[:]...)); err != nil {
					t.Fatal(err)
				}
			}
			z, problems := b.Finish(nil)
			if z == nil || z.hashes.len() != c.count {
				t.Fatal(problems)
			}
			sort.Slice(hashes, func(i, j int) bool { return bytes.Compare(hashes[i][:], hashes[j][:]) < 0 })
			for i := range hashes {
				if !bytes.Equal(z.hashAt(i), hashes[i][:]) {
					t.Fatalf("hash %d is out of order", i)
				}
			}
			for range 2000 {
				h := random()
				if rng.IntN(2) == 0 {
					h = hashes[rng.IntN(c.count)]
				}
				want := sort.Search(c.count, func(i int) bool { return bytes.Compare(hashes[i][:], h[:]) >= 0 })
				if got := z.hashSearch(&h); got != want {
					t.Fatalf("%x: got %d, want %d", h, got, want)
				}
			}
		})
	}
}

// parseHash and appendHash are inverse.
func FuzzHash(f *testing.F) {
	f.Add([]byte("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"))
	f.Add([]byte("VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV"))
	f.Fuzz(func(t *testing.T, label []byte) {
		if len(label) != hashLen*8/5 {
			return
		}
		if hash, ok := parseHash(label); ok {
			if got := appendHash(nil, hash[:]); !bytes.EqualFold(got[1:], label) || int(got[0]) != len(label) {
				t.Fatalf("%s becomes %s", label, got)
			}
		}
	})
}
