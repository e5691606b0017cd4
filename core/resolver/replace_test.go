package resolver

import (
	"testing"

	"heimdall/core/cache"
	"heimdall/core/wire"
)

// A Machine that gets other memory in the midst of its work resolves on, from the root again. The memory that it had may
// be anything.
func TestSetMemory(t *testing.T) {
	old := make([]byte, cache.MinMemory)
	n := withGlueless(world(t, Options{NoIPv6: true, Memory: old}, internet))
	n.resolve(question("www.example.test.", wire.TypeA))
	change := func() {
		n.m.SetMemory(make([]byte, cache.MinMemory), 1<<20)
		for i := range old {
			old[i] = 0xff
		}
	}
	// The zone's server is asked, which takes a while; meanwhile the memory is changed.
	n.schedule(1, change)
	before := len(n.log)
	_, msg := n.resolve(question("alias.example.test.", wire.TypeA))
	if got := lines(msg.Answer); got != "alias.example.test. CNAME www.glueless.test.; www.glueless.test. A 198.51.100.2" {
		t.Fatal(got)
	}
	if first := n.log[before]; first.to != addr("192.0.2.4") {
		t.Errorf("first %v is asked: the question was not under way when the memory changed", first.to)
	}
	n.log = nil
	n.resolve(question("a.b.c.d.e.f.g.h.i.j.k.l.m.n.example.test.", wire.TypeA))
	if len(n.log) == 0 || n.log[0].to == addr("192.0.2.4") {
		t.Errorf("what was learned in the old memory is still known: %v", n.asked())
	}
	n.m.SetMemory(nil, 1<<20) // it takes memory of its own
	if _, msg := n.resolve(question("www.example.test.", wire.TypeA)); lines(msg.Answer) != "www.example.test. A 198.51.100.1" {
		t.Error(lines(msg.Answer))
	}
}
