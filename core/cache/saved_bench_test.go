package cache

import (
	"fmt"
	"testing"

	"heimdall/core/wire"
)

// What it takes to tell one answer, and to take it over.
func BenchmarkSaved(b *testing.B) {
	const answers = 100_000
	old := testAnswers(b, AnswersOptions{Memory: make([]byte, 64<<20)})
	for i := range answers {
		k := keyOf(fmt.Sprintf("host%d.example.", i), wire.TypeA)
		old.Put(old.Hash(&k), &k, builtAddresses(&k, 1+i%3), Meta{}, 10)
	}
	told, count := export(old, new(Walk), 10)
	if count != answers {
		b.Fatalf("%d answers are told", count)
	}
	b.Run("export", func(b *testing.B) {
		var w Walk
		dst := make([]byte, 0, 256<<10)
		for n := 0; n < b.N; {
			out, count, done := old.Export(&w, dst[:0], 8<<10, 10)
			if n += count; done {
				w = Walk{}
			}
			dst = out
		}
	})
	b.Run("import", func(b *testing.B) {
		a := testAnswers(b, AnswersOptions{Memory: make([]byte, 64<<20)})
		var i Importer
		rest := told
		for range b.N {
			s, _, next, _ := NextSaved(rest)
			if rest = next; len(rest) == 0 {
				rest = told
				b.StopTimer()
				a.FlushAll()
				b.StartTimer()
			}
			i.Import(a, &s, 0, 10)
		}
	})
}

// builtAddresses is a response with so many addresses, as a Builder makes it.
func builtAddresses(k *Key, n int) []byte {
	var b wire.Builder
	b.Reset(make([]byte, 0, 512), 512)
	b.Header(0, wire.FlagQR)
	b.Question(k.Name, k.Type, k.Class)
	for i := range n {
		b.RR(wire.Answer, k.Name, wire.TypeA, wire.ClassIN, 3600, []byte{192, 0, 2, byte(i)})
	}
	return b.Finish()
}
