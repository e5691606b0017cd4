package core

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// A trace does with a question what is done with a client's: what is answered here or refused asks nobody.
func TestTraceOfWhatIsAnsweredHere(t *testing.T) {
	r := newRig(t, nil)
	r.e.SetZones(zone.NewSet([]*zone.Zone{
		served(t, "own.alpha.", "www.own.alpha. 60 A 10.0.0.1", "away.own.alpha. 60 CNAME www.example.", "kid.own.alpha. 60 NS ns.kid.own.alpha."),
		zone.NewUnready(wireName(t, "down.alpha.")),
	}))
	r.resolve("cached.example.", nil, "10.0.0.1", "cached.example. 300 A 192.0.2.9")
	for _, c := range []struct {
		name, client  string
		typ           wire.Type
		route, answer string
		rcode         wire.Rcode
		sent          int
	}{
		{"www.own.alpha.", "", wire.TypeA, "the zone own.alpha.", "www.own.alpha. A 10.0.0.1", 0, 0},
		{"www.own.alpha.", "192.0.2.1", wire.TypeA, "the zone own.alpha.", "www.own.alpha. A 10.0.0.1", 0, 0},
		{"no.own.alpha.", "", wire.TypeA, "the zone own.alpha.", "", wire.RcodeNXDomain, 0},
		{"h.kid.own.alpha.", "", wire.TypeA, "the zone own.alpha.", "", 0, 0},
		{"h.down.alpha.", "", wire.TypeA, "the zone down.alpha.", "", wire.RcodeServFail, 0},
		{"away.own.alpha.", "", wire.TypeA, "its alias leads elsewhere", "away.own.alpha. CNAME www.example.; www.example. A 192.0.2.7", 0, 1},
		{"away.own.alpha.", "192.0.2.1", wire.TypeA, "the zone own.alpha.", "away.own.alpha. CNAME www.example.", 0, 0},
		{"localhost.", "", wire.TypeA, "a special name", "localhost. A 127.0.0.1", 0, 0},
		{"1.2.3.10.in-addr.arpa.", "10.0.0.1", wire.TypePTR, "a special name", "", wire.RcodeNXDomain, 0},
		{"www.example.", "", wire.TypeANY, "type ANY", "www.example. HINFO \"RFC8482\"", 0, 0},
		{"www.example.", "192.0.2.1", wire.TypeA, "recursion.allow", "", wire.RcodeRefused, 0},
		{"localhost.", "192.0.2.1", wire.TypeA, "recursion.allow", "", wire.RcodeRefused, 0},
		{"www.example.", "10.0.0.1", wire.TypeA, "the forward zone .", "www.example. A 192.0.2.7", 0, 1},
		{"cached.example.", "", wire.TypeA, "the forward zone .", "cached.example. A 192.0.2.8", 0, 1},
	} {
		var got *resolver.Trace
		var msg *dns.Msg
		client, _ := netip.ParseAddr(c.client)
		q := resolver.Question{Name: wireName(t, c.name), Type: c.typ, Class: wire.ClassIN}
		r.sent = nil
		if !r.e.Trace(r.now, &q, client, func(tr *resolver.Trace) {
			got, msg = tr, unpack(t, tr.Answer.Msg)
		}) {
			t.Fatalf("%s: not begun", c.name)
		}
		sent := len(r.sent)
		r.script(0, "www.example. 300 A 192.0.2.7", "cached.example. 300 A 192.0.2.8")
		if got == nil {
			t.Fatalf("%s: no trace", c.name)
		}
		if !strings.Contains(got.Route, c.route) || chain(msg) != c.answer || got.Answer.Rcode != c.rcode || sent != c.sent || len(got.Steps) == 0 {
			t.Errorf("%s %v for %q: %q, %d queries, %v", c.name, c.typ, c.client, got.Route, sent, msg)
		}
		if want := map[string]string{"cached.example.": "NOERROR for 300 s more, which clients get"}[c.name]; want != "" && got.Cached != want {
			t.Errorf("%s: the cache has %q", c.name, got.Cached)
		}
	}
	r.e.Recursion = false
	q := resolver.Question{Name: wireName(t, "www.example."), Type: wire.TypeA, Class: wire.ClassIN}
	r.e.Trace(r.now, &q, netip.Addr{}, func(tr *resolver.Trace) {
		if tr.Answer.Rcode != wire.RcodeRefused || !strings.Contains(tr.Route, "recursion.enabled") {
			t.Errorf("without recursion: %+v", tr)
		}
	})
}
