package core

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// A trace does with a question what is done with a client's: what is answered here or refused asks nobody.
func TestTraceOfWhatIsAnsweredHere(t *testing.T) {
	r := newRig(t, nil)
	r.e.SetZones(zone.NewSet([]*zone.Zone{
		served(t, "own.alpha.", "www.own.alpha. 60 A 10.0.0.1", "away.own.alpha. 60 CNAME www.example.", "kid.own.alpha. 60 NS ns.kid.own.alpha."),
		zone.NewUnready(dnametest.Name("down.alpha.")),
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
		got := new(resolver.Trace)
		client, _ := netip.ParseAddr(c.client)
		q := Inquiry{Question: resolver.Question{Name: dnametest.Name(c.name), Type: c.typ, Class: wire.ClassIN}, Client: client, Watch: got}
		r.sent = nil
		to := r.Hold(0)
		if !r.e.Resolve(r.now, &q, to) {
			t.Fatalf("%s: not begun", c.name)
		}
		sent := len(r.sent)
		r.script(0, "www.example. 300 A 192.0.2.7", "cached.example. 300 A 192.0.2.8")
		if r.replies[to] == nil || got.Answer.Msg == nil {
			t.Fatalf("%s: no response, or no trace", c.name)
		}
		msg := r.replies[to]
		if told := unpack(t, got.Answer.Msg); chain(told) != chain(msg) || told.Rcode != msg.Rcode {
			t.Errorf("%s: the response is %v, and the trace has %v", c.name, msg, told)
		}
		if !strings.Contains(got.Route, c.route) || chain(msg) != c.answer || got.Answer.Rcode != c.rcode || sent != c.sent || len(got.Steps) == 0 {
			t.Errorf("%s %v for %q: %q, %d queries, %v", c.name, c.typ, c.client, got.Route, sent, msg)
		}
		if want := map[string]string{"cached.example.": "NOERROR for 300 s more, which clients get"}[c.name]; want != "" && got.Cached != want {
			t.Errorf("%s: the cache has %q", c.name, got.Cached)
		}
	}
	r.e.Recursion = false
	got := new(resolver.Trace)
	q := Inquiry{Question: resolver.Question{Name: dnametest.Name("www.example."), Type: wire.TypeA, Class: wire.ClassIN}, Watch: got}
	if !r.e.Resolve(r.now, &q, r.Hold(0)) || got.Answer.Rcode != wire.RcodeRefused || !strings.Contains(got.Route, "recursion.enabled") {
		t.Errorf("without recursion: %+v", got)
	}
}

func serverHas(name, address string) []string {
	if address == "" {
		return nil
	}
	return []string{name + " 300 A " + address}
}

// A question from inside that nobody watches gets what a client gets, out of the cache too; one that is to be
// resolved anew asks the servers, and leaves the cache as it is. It needs no turn among the clients, and no admission. None of
// it is counted among what clients ask.
func TestQuestionsFromInside(t *testing.T) {
	r := newRig(t, nil)
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "own.alpha.", "www.own.alpha. 60 A 10.0.0.1")}))
	r.limit(1, netip.MustParsePrefix("::/128"))
	ask := func(name string, anew bool, records ...string) string {
		t.Helper()
		q := Inquiry{Question: resolver.Question{Name: dnametest.Name(name), Type: wire.TypeA, Class: wire.ClassIN, DO: true}, Anew: anew}
		to := r.Hold(0)
		if !r.e.Resolve(r.now, &q, to) {
			t.Fatalf("%s: not begun", name)
		}
		r.script(0, records...)
		if r.replies[to] == nil {
			t.Fatalf("%s: no response", name)
		}
		if r.e.Waiting() != 0 {
			t.Errorf("%s: it still waits", name)
		}
		return chain(r.replies[to])
	}
	for _, c := range []struct {
		name   string
		anew   bool
		server string
		want   string
	}{
		{"www.own.alpha.", false, "", "10.0.0.1"},
		{"www.own.alpha.", true, "192.0.2.1", "10.0.0.1"},
		{"localhost.", false, "", "127.0.0.1"},
		{"www.example.", false, "192.0.2.2", "192.0.2.2"},
		{"www.example.", false, "192.0.2.3", "192.0.2.2"},
		{"www.example.", true, "192.0.2.4", "192.0.2.4"},
		{"www.example.", false, "192.0.2.5", "192.0.2.2"},
	} {
		if got, want := ask(c.name, c.anew, serverHas(c.name, c.server)...), c.name+" A "+c.want; got != want {
			t.Errorf("%s, anew %v: %q, want %q", c.name, c.anew, got, want)
		}
	}
	q := Inquiry{Question: resolver.Question{Name: dnametest.Name("late.example."), Type: wire.TypeA, Class: wire.ClassIN}, Watch: new(resolver.Trace)}
	to := r.Hold(0)
	if !r.e.Resolve(r.now, &q, to) || r.e.Resolve(r.now, &q, r.Hold(0)) {
		t.Error("two are watched at a time")
	}
	r.e.Abandon(r.now)
	if m := r.replies[to]; m == nil || m.Rcode != dns.RcodeServerFailure {
		t.Errorf("abandoned: %v", m)
	}
	if c := r.e.Counters(); c != (Counters{}) {
		t.Errorf("counted: %+v", c)
	}
	if r.e.Drain(); r.e.Resolve(r.now, &q, r.Hold(0)) {
		t.Error("begun while the shard shuts down")
	}
}
