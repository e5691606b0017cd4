package cache

import (
	"fmt"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// One name cannot fill the cache with what has expired: its answers of all types, kept for serving them stale, give way, and
// what others ask for all the time stays.
func TestExpiredAnswersOfOneNameGiveWay(t *testing.T) {
	a, err := NewAnswers(AnswersOptions{Memory: make([]byte, 1<<20), Seed: 3, MaxTTL: 86400, MaxNegativeTTL: 3600, StaleTTL: 86400})
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) dname.Name {
		n, err := dname.ParseText(nil, text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	answer := func(k *Key, ttl byte) []byte {
		msg := wire.AppendQuery(nil, 0, wire.FlagQR, k.Name, k.Type, k.Class)
		wire.SetCount(msg, wire.Answer, 1)
		return append(msg, 0xC0, 12, byte(k.Type>>8), byte(k.Type), 0, 1, 0, 0, ttl, ttl, 0, 4, 192, 0, 2, 1)
	}
	var hot []Key
	for i := range 500 {
		k := Key{Name: parse(fmt.Sprintf("host%d.example.", i)), Type: wire.TypeA, Class: wire.ClassIN}
		hot = append(hot, k)
		a.Put(a.Hash(&k), &k, answer(&k, 100), Meta{}, 1)
	}
	var hit Hit
	evil := parse("evil.example.")
	now := uint32(1)
	for i := range 60_000 {
		k := Key{Name: evil, Type: wire.Type(i + 300), Class: wire.ClassIN, DO: i%2 == 0}
		a.Put(a.Hash(&k), &k, answer(&k, 0), Meta{TTL: 1}, now)
		if i%10 == 0 {
			now = 1 + uint32(i/100)
			h := &hot[i/10%len(hot)]
			a.Lookup(a.Hash(h), h, now, &hit)
		}
	}
	lost := 0
	for i := range hot {
		if a.Lookup(a.Hash(&hot[i]), &hot[i], now, &hit) != Fresh {
			lost++
		}
	}
	if lost > len(hot)/50 {
		t.Errorf("%d of %d names that are asked for all the time are gone", lost, len(hot))
	}
}
