package settings

import (
	"math/rand/v2"

	"heimdall/shard/seed"
)

// Random makes a generator that nobody can predict: ChaCha8 with a seed from the kernel.
func Random() *rand.ChaCha8 { return rand.NewChaCha8(seed.Long()) }
