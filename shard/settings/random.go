package settings

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
)

// Random makes a generator that nobody can predict: ChaCha8 with a seed from the kernel.
func Random() *mathrand.ChaCha8 {
	var seed [32]byte
	rand.Read(seed[:])
	return mathrand.NewChaCha8(seed)
}

// newSeed makes a seed of hashes that nobody can predict.
func newSeed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.NativeEndian.Uint64(b[:])
}
