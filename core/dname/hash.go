package dname

import (
	"encoding/binary"
	"math/bits"
)

// Odd 64-bit constants of wyhash; any with about 32 bits set would do.
const (
	mul0 = 0xa0761d6478bd642f
	mul1 = 0xe7037ed1a0b428db
)

// Hash returns a hash of n that does not depend on letter case. Every bit of it depends on every octet
// of n and on seed, which should be random and secret: names come from strangers.
//
// It is wyhash's folded multiplication over the lower-case octets. Both factors of every product hold
// bits of the seed, so that nobody who does not know it can choose octets that make a factor zero.
func Hash(seed uint64, n Name) uint64 {
	s := seed ^ mul0                        // masks the first factor
	h := bits.RotateLeft64(seed, 32) ^ mul1 // masks the second, and collects
	size := uint64(len(n))
	for len(n) > 16 {
		h = Fold(lower8(binary.LittleEndian.Uint64(n))^s, lower8(binary.LittleEndian.Uint64(n[8:]))^h)
		n = n[16:]
	}
	// What is left is read as two words that may overlap: the length, mixed in below, tells them apart.
	var x, y uint64
	switch {
	case len(n) >= 8:
		x, y = binary.LittleEndian.Uint64(n), binary.LittleEndian.Uint64(n[len(n)-8:])
	case len(n) >= 4:
		x, y = uint64(binary.LittleEndian.Uint32(n)), uint64(binary.LittleEndian.Uint32(n[len(n)-4:]))
	case len(n) > 0:
		x, y = uint64(n[0])|uint64(n[len(n)/2])<<8, uint64(n[len(n)-1])
	}
	h = Fold(lower8(x)^s, lower8(y)^h)
	return Fold(h^size, s^mul1)
}

// Fold multiplies to 128 bits and folds the halves together. Where neither factor is known to whoever chooses a part of one,
// nobody can choose what comes out.
func Fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}

// Mix scrambles 64 bits, each of which depends on all others then: to hash a name together with what else is asked. It is
// the finalizer of splitmix64.
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
