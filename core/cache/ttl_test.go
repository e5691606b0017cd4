package cache

import (
	"testing"

	"heimdall/core/wire"
)

// TestTTL is the table of what is kept for how long.
func TestTTL(t *testing.T) {
	const a60 = "answer: www.example. 60 IN A 192.0.2.1"
	const cname = "answer: www.example. 100 IN CNAME web.example."
	for _, c := range []struct {
		what    string
		rcode   wire.Rcode
		records []string
		meta    Meta
		want    uint32 // 0: not kept
	}{
		{"one record", 0, []string{a60}, Meta{}, 60},
		{"least of the answer", 0, []string{cname, "answer: web.example. 70 IN A 192.0.2.1"}, Meta{}, 70},
		{"authority counts", 0, []string{a60, "authority: example. 50 IN NS ns.example."}, Meta{}, 50},
		{"additional does not", 0, []string{a60, "additional: ns.example. 5 IN A 192.0.2.1"}, Meta{}, 60},
		{"TTL 0", 0, []string{"answer: www.example. 0 IN A 192.0.2.1"}, Meta{}, 0},
		{"cut to MaxTTL", 0, []string{"answer: www.example. 999999 IN A 192.0.2.1"}, Meta{}, 86400},
		{"given TTL", 0, []string{a60}, Meta{TTL: 7}, 7},
		{"given TTL above the answer's", 0, []string{a60}, Meta{TTL: 90}, 90},
		{"unknown type in the answer", 0, []string{"answer: www.example. 60 IN TYPE65280 \\# 3 010203"}, Meta{}, 0},

		// RFC 2308
		{"NXDOMAIN: SOA minimum", wire.RcodeNXDomain, []string{soaRecord}, Meta{}, 300},
		{"NXDOMAIN: SOA TTL", wire.RcodeNXDomain, []string{"authority: example. 200 IN SOA a. b. 1 2 3 4 300"}, Meta{}, 200},
		{"NXDOMAIN: capped", wire.RcodeNXDomain, []string{"authority: example. 86400 IN SOA a. b. 1 2 3 4 86400"}, Meta{}, 3600},
		{"NXDOMAIN: minimum 0", wire.RcodeNXDomain, []string{"authority: example. 900 IN SOA a. b. 1 2 3 4 0"}, Meta{}, 0},
		{"NXDOMAIN: no SOA", wire.RcodeNXDomain, nil, Meta{}, 0},
		{"NXDOMAIN: no SOA, TTL given", wire.RcodeNXDomain, nil, Meta{TTL: 10}, 10},
		{"NXDOMAIN behind CNAME", wire.RcodeNXDomain, []string{cname, soaRecord}, Meta{}, 100},
		{"NODATA", 0, []string{soaRecord}, Meta{}, 300},
		{"NODATA behind CNAME", 0, []string{cname, soaRecord}, Meta{}, 100},
		{"CNAME alone", 0, []string{cname}, Meta{}, 0},
		{"referral", 0, []string{"authority: example. 900 IN NS ns.example."}, Meta{}, 0},
		{"empty", 0, nil, Meta{}, 0},

		// RFC 9520
		{"SERVFAIL", wire.RcodeServFail, nil, Meta{}, 0},
		{"SERVFAIL, TTL given", wire.RcodeServFail, nil, Meta{TTL: 5}, 5},
		{"SERVFAIL, long TTL given", wire.RcodeServFail, nil, Meta{TTL: 5000}, 300},
		{"REFUSED with records", wire.RcodeRefused, []string{a60}, Meta{TTL: 5}, 5},
	} {
		t.Run(c.what, func(t *testing.T) {
			a := testAnswers(t, AnswersOptions{})
			k := keyOf("www.example.", wire.TypeA)
			msg := response(&k, c.rcode, c.records...)
			if c.want == 0 {
				a.mustPut(t, &k, msg, c.meta, 0, Uncacheable)
				return
			}
			a.mustPut(t, &k, msg, c.meta, 1000, Stored)
			var h Hit
			if s := a.Lookup(a.Hash(&k), &k, 1000+c.want-1, &h); s != Fresh || h.OrigTTL != c.want || h.TTL != 1 || h.Rcode != c.rcode {
				t.Errorf("%v, %+v", s, h)
			}
			want := Stale
			if c.rcode == wire.RcodeServFail || c.rcode == wire.RcodeRefused {
				want = Miss
			}
			if s := a.Lookup(a.Hash(&k), &k, 1000+c.want, &h); s != want {
				t.Errorf("after its TTL: %v", s)
			}
		})
	}
}

// TestTTLOfRecords: what clients see of TTLs that were clamped.
func TestTTLOfRecords(t *testing.T) {
	for _, c := range []struct {
		what    string
		options AnswersOptions
		rcode   wire.Rcode
		records []string
		meta    Meta
		want    string
	}{
		{"SOA is sent with the negative TTL", AnswersOptions{}, wire.RcodeNXDomain, []string{soaRecord}, Meta{},
			"authority: example. 300 IN SOA ns.example. host.example. 1 7200 900 1209600 300\n"},
		{"raised to MinTTL", AnswersOptions{MinTTL: 30}, 0,
			[]string{"answer: www.example. 0 IN A 192.0.2.1", "additional: x. 1 IN A 192.0.2.2"}, Meta{},
			"answer: www.example. 30 IN A 192.0.2.1\nadditional: x. 30 IN A 192.0.2.2\n"},
		{"validated, and not raised to MinTTL", AnswersOptions{MinTTL: 30}, 0,
			[]string{"answer: www.example. 9 IN A 192.0.2.1", "additional: x. 1 IN A 192.0.2.2"}, Meta{AD: true},
			"answer: www.example. 9 IN A 192.0.2.1\nadditional: x. 1 IN A 192.0.2.2\n"},
		{"validated denial, and not raised to MinTTL", AnswersOptions{MinTTL: 600}, wire.RcodeNXDomain,
			[]string{soaRecord, "authority: a.example. 20 IN NSEC c.example. A"}, Meta{AD: true},
			"authority: example. 20 IN SOA ns.example. host.example. 1 7200 900 1209600 300\nauthority: a.example. 20 IN NSEC c.example. A\n"},
		{"cut to MaxTTL", AnswersOptions{MaxTTL: 40}, 0,
			[]string{"answer: www.example. 50 IN A 192.0.2.1", "additional: x. 90 IN A 192.0.2.2"}, Meta{},
			"answer: www.example. 40 IN A 192.0.2.1\nadditional: x. 40 IN A 192.0.2.2\n"},
		{"cut to the given TTL", AnswersOptions{}, 0,
			[]string{"answer: www.example. 50 IN A 192.0.2.1"}, Meta{TTL: 9},
			"answer: www.example. 9 IN A 192.0.2.1\n"},
		{"MinTTL above MaxNegativeTTL", AnswersOptions{MinTTL: 30, MaxNegativeTTL: 10}, wire.RcodeNXDomain,
			[]string{soaRecord}, Meta{},
			"authority: example. 10 IN SOA ns.example. host.example. 1 7200 900 1209600 300\n"},
	} {
		a := testAnswers(t, c.options)
		k := keyOf("www.example.", wire.TypeA)
		a.mustPut(t, &k, response(&k, c.rcode, c.records...), c.meta, 5, Stored)
		if i, _ := a.Inspect(&k, 5); text(t, i.Message) != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.what, text(t, i.Message), c.want)
		}
	}
}
