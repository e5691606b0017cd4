package admin

import (
	"strings"
	"testing"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/control"
	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// explaining is an explainer of a shard's verdict about www.example. A.
func explaining(e core.Explanation) *explainer {
	q := &core.Case{Question: resolver.Question{Name: dnametest.Name("www.example."), Type: wire.TypeA, Class: wire.ClassIN}}
	return &explainer{q: q, v: &verdict{Explanation: &e}, out: &control.Explanation{}}
}

// An entry of the cache is as old as it is, not as the records that it was made of.
func TestExplainAge(t *testing.T) {
	x := explaining(core.Explanation{
		From: core.FromCache, Cached: &cache.Info{State: cache.Fresh, Hit: cache.Hit{TTL: 40, OrigTTL: 60, Hits: 3}, Age: 20},
		Records: resolver.Known{Found: true, Rank: known.AuthAnswer, Status: dnssec.Insecure, Age: 500},
	})
	x.cache()
	why := x.out.Steps[0].Why
	if x.out.Cache.Age != 20 || !strings.HasPrefix(why, "stored 20 s ago, good for 40 s more, 3 hits") || !strings.Contains(why, "authoritative server, 500 s ago") {
		t.Errorf("%s: %+v", why, x.out.Cache)
	}
}
