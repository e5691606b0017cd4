// Package seed makes what hashes and generators begin with, which nobody can predict. Safe for concurrent use.
package seed

import (
	"crypto/rand"
	"encoding/binary"
)

// Uint64 returns 8 random octets.
func Uint64() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.NativeEndian.Uint64(b[:])
}

// Long returns 32 random octets.
func Long() (s [32]byte) {
	rand.Read(s[:])
	return s
}
