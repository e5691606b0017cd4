package hot

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"heimdall/core/cache"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
	"heimdall/ebpf"
)

// BenchmarkPublish measures what it takes to publish one answer out of the cache: the shard's part, and the
// publisher's.
func BenchmarkPublish(b *testing.B) {
	ti := newTiers(b, 1232)
	rnd := rand.New(rand.NewPCG(1, 2))
	var asked []ebpf.Question
	for i := range 4000 {
		k := cache.Key{Name: dnametest.Name(fmt.Sprintf("h%d.example.", i)), Type: wire.TypeA, Class: wire.ClassIN}
		if ti.put(rnd, &k, cache.Meta{}) {
			asked = append(asked, ebpf.Question{Name: k.Name, Type: uint16(k.Type)})
		}
	}
	v := &ti.visitor
	collect := func(at int) int {
		v.asked = append(v.asked[:0], asked[at:min(at+questionsPerVisit, len(asked))]...)
		v.found, v.octets, v.list = v.found[:0], v.octets[:0], v.list[:0]
		n := len(v.asked)
		v.lookUp(ti.engine, uint32(ti.now()/1e9))
		return n
	}
	b.Run("shard", func(b *testing.B) {
		for n := 0; n < b.N; {
			n += collect(n % (len(asked) - questionsPerVisit))
		}
	})
	b.Run("publisher", func(b *testing.B) {
		for n := 0; n < b.N; {
			b.StopTimer()
			collect(rnd.IntN(len(asked) - questionsPerVisit))
			b.StartTimer()
			v.prepare(0, func(*ebpf.Answer) bool { return false })
			v.list = slices.DeleteFunc(v.list, func(a ebpf.Answer) bool { return len(a.Records) > 48 }) // the rest is beside the table
			n += len(v.list)
			if _, err := ti.program.Publish(ti.program.Generation(), v.now, v.list); err != nil {
				b.Fatal(err)
			}
		}
	})
}
