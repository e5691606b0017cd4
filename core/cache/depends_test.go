package cache

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// An answer is found as long as what it depends on has not changed, and the others always.
func TestDepends(t *testing.T) {
	a, err := NewAnswers(AnswersOptions{Memory: make([]byte, 1<<20), StaleTTL: 60})
	if err != nil {
		t.Fatal(err)
	}
	kinds := []Depends{OnNothing, OnRoutes, OnZones, OnServers}
	key := func(d Depends) Key {
		return Key{Name: dname.Name{1, 'a' + byte(d), 0}, Type: wire.TypeA, Class: wire.ClassIN}
	}
	put := func() {
		for _, d := range kinds {
			k := key(d)
			m := new(dns.Msg).SetQuestion(k.Name.String(), dns.TypeA)
			m.Response, m.Compress = true, true
			rr, err := dns.NewRR(k.Name.String() + " 300 A 192.0.2.1")
			if err != nil {
				t.Fatal(err)
			}
			m.Answer = []dns.RR{rr}
			raw, err := m.Pack()
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Put(a.Hash(&k), &k, raw, Meta{Depends: d}, 1); got != Stored {
				t.Fatalf("put: %v", got)
			}
		}
	}
	found := func(now uint32) (list string) {
		for _, d := range kinds {
			k := key(d)
			var h Hit
			if a.Lookup(a.Hash(&k), &k, now, &h) != Miss {
				if h.body == nil || len(h.body) != 16 {
					t.Errorf("%d: body of %d octets", d, len(h.body))
				}
				list += string(rune('0' + d))
			}
			if (a.Peek(a.Hash(&k), &k, now, &h) != Miss) != (len(list) > 0 && list[len(list)-1] == byte('0'+d)) {
				t.Errorf("%d: Peek and Lookup do not agree", d)
			}
		}
		return list
	}
	for _, c := range []struct {
		change Depends
		left   string
	}{{OnServers, "012"}, {OnZones, "01"}, {OnRoutes, "0"}} {
		put()
		if got := found(2); got != "0123" {
			t.Errorf("before: %s", got)
		}
		a.Changed(c.change, 2)
		if got := found(2); got != c.left {
			t.Errorf("after a change of %d: %q, want %q", c.change, got, c.left)
		}
		if got := found(310); got != c.left {
			t.Errorf("after a change of %d, stale: %q, want %q", c.change, got, c.left)
		}
	}
}
