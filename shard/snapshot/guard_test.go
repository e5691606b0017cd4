package snapshot

import (
	"fmt"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
)

// What is on its way minds what was flushed since it began, and is worth nothing once another configuration is in force.
func TestGuard(t *testing.T) {
	var g Guard
	g.Flushed(dnametest.Name("before."), true)
	first := g.begin()
	g.Flushed(dnametest.Name("One."), false)
	second := g.begin()
	g.Flushed(dnametest.Name("two."), true)
	for _, c := range []struct {
		t    *ticket
		name string
		want bool
	}{
		{first, "one.", true}, {first, "a.one.", false}, {first, "TWO.", true}, {first, "a.b.two.", true}, {first, "before.", false},
		{second, "one.", false}, {second, "a.two.", true}, {second, "xtwo.", false},
	} {
		list, ok := c.t.mind()
		if got := covers(list, dnametest.Name(c.name)); !ok || got != c.want {
			t.Errorf("%s: %v, %v", c.name, got, ok)
		}
	}
	g.Decides([32]byte{1})
	if _, ok := first.mind(); ok {
		t.Error("another configuration changes nothing")
	}
	first.end()
	second.end()
	third := g.begin()
	if !third.untouched() {
		t.Error("a new transfer minds old flushes")
	}
	g.Flushed(dname.Root(), true)
	if third.untouched() {
		t.Error("a flush of everything changes nothing")
	}
	third.end()
	fourth := g.begin()
	defer fourth.end()
	for i := range maxFlushes {
		g.Flushed(dnametest.Name(fmt.Sprintf("n%d.", i)), false)
	}
	if list, ok := fourth.mind(); !ok || len(list) != maxFlushes {
		t.Errorf("%d flushes, %v", len(list), ok)
	}
	g.Flushed(dnametest.Name("more."), false)
	if _, ok := fourth.mind(); ok {
		t.Error("too many flushes are forgotten")
	}
}
