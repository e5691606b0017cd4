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

// Where nobody is asked, explain says so, and from what the answer is made.
func TestExplainKnown(t *testing.T) {
	name := dnametest.Name("www.example.")
	for _, c := range []struct {
		what    string
		p       resolver.Foreseen
		records resolver.Known
		verdict string // of the step, and part of why
		why     string
		trust   string // what is said of validation
	}{
		{"records", resolver.Foreseen{On: resolver.OnRecords, Name: name, Status: dnssec.Secure}, resolver.Known{Found: true, Rank: known.AuthAnswer, Age: 7}, "NOERROR", "authoritative server, 7 s ago", "secure"},
		{"records that nobody has validated", resolver.Foreseen{On: resolver.OnRecords, Name: name}, resolver.Known{}, "NOERROR", "learned for other queries", "pending"},
		{"a denial above", resolver.Foreseen{On: resolver.OnRecords, Name: name, Denied: name.Parent(), Rcode: wire.RcodeNXDomain, Status: dnssec.Insecure}, resolver.Known{}, "NXDOMAIN", "example. is known not to exist", "insecure"},
		{"denials", resolver.Foreseen{On: resolver.OnDenials, Name: name, Rcode: wire.RcodeNXDomain, Status: dnssec.Secure}, resolver.Known{}, "NXDOMAIN", "RFC 8198", "secure"},
		{"an alias", resolver.Foreseen{On: resolver.OnRecords, Name: dnametest.Name("h.example."), Aliases: 1, Status: dnssec.Secure}, resolver.Known{}, "NOERROR", "known aliases (1) lead to h.example.", "secure"},
	} {
		x := explaining(core.Explanation{From: core.FromKnown, Records: c.records, Plan: resolver.Plan{Foreseen: c.p, Kind: "iterate", Zone: dnametest.Name("."), On: true, Anchor: dnametest.Name(".")}})
		x.outcome()
		x.known()
		x.servers()
		x.validation()
		s := x.out.Steps
		if x.out.Outcome != control.OutcomeKnown || x.out.Rcode != c.verdict || len(s) != 3 || s[0].Verdict != c.verdict || !strings.Contains(s[0].Why, c.why) || s[1].Verdict != "not asked" || s[2].Verdict != c.trust {
			t.Errorf("%s: %+v", c.what, x.out)
		}
	}
}
