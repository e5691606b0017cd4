package resolver

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// Strangers' names do not choose the chains of tasks: those that meet under one seed are spread under another.
func TestChosenNamesShareNoChain(t *testing.T) {
	const many = 1024
	rnd := rand.NewChaCha8([32]byte{9})
	o := Options{MaxTasks: many}
	known := newTasks(&o, rnd.Uint64())
	for range 3 {
		p := newTasks(&o, rnd.Uint64())
		var n, most int
		chains := map[uint64]int{}
		for i := 0; n < 256; i++ {
			q := Question{Name: dnametest.Name(fmt.Sprintf("x%d.example.", i)), Type: wire.TypeA, Class: wire.ClassIN}
			if known.hash(&q, 0)%many != 5 {
				continue
			}
			n++
			chain := p.hash(&q, 0) % many
			chains[chain]++
			most = max(most, chains[chain])
		}
		if most > 6 {
			t.Errorf("%d questions in one chain", most)
		}
	}
}
