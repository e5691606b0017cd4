package core

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/resolver"
	"heimdall/core/zone"
)

// tapped writes down what a Tap is told.
type tapped struct {
	list []string
	last Exchange
}

func (t *tapped) Exchange(x *Exchange) {
	what := ""
	if x.Query != nil {
		what = "query "
	}
	if x.Response != nil {
		m := new(dns.Msg)
		if err := m.Unpack(x.Response); err != nil {
			what += err.Error()
		}
		what += fmt.Sprintf("response %v %s", x.Source, dns.RcodeToString[int(x.Rcode)])
	}
	t.list = append(t.list, what)
	t.last = *x
}

// The tap is told of each response where it leaves, with what was asked, when, and where the response comes from; and of
// queries that wait when they begin to.
func TestTapIsToldOfEachExchange(t *testing.T) {
	r := newRig(t, nil)
	tap := new(tapped)
	r.e.Tap = tap
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "own.alpha.", "www.own.alpha. 60 A 10.0.0.1")}))
	told := func(want ...string) {
		t.Helper()
		if !slices.Equal(tap.list, want) {
			t.Errorf("told %q, want %q", tap.list, want)
		}
		tap.list = nil
	}
	q := r.ask("www.own.alpha.", "10.0.0.1")
	told("query response zone NOERROR")
	if x := &tap.last; &x.Query[0] != &q.Msg[0] || string(x.Response) != string(q.Response) || x.Question != 12+len("www.own.alpha.")+1+4 || x.To != 0 {
		t.Errorf("%+v", x)
	}
	r.ask("localhost.", "10.0.0.1")
	told("query response local NOERROR")
	r.ask("www.example.", "192.0.2.1")
	told("query response none REFUSED")
	r.ask("www.example.", "10.0.0.1")
	told("query ")
	r.e.Misses(r.now, 1)
	r.now += 5e6
	r.answer(0, 60)
	told("response upstream NOERROR")
	if x := &tap.last; x.To == 0 || x.Question != 12+len("www.example.")+1+4 {
		t.Errorf("%+v", x)
	}
	r.ask("www.example.", "10.0.0.1")
	told("query response cache NOERROR")
	// What is asked from inside is nobody's query.
	r.e.Resolve(r.now, &Inquiry{Question: resolver.Question{Name: []byte("\x03www\x07example\x00"), Type: 1, Class: 1}}, 99)
	r.e.Resolve(r.now, &Inquiry{Question: resolver.Question{Name: []byte("\x03new\x07example\x00"), Type: 1, Class: 1}}, 98)
	r.answer(1, 60)
	told()
	r.e.Explain(r.now, &Case{Question: resolver.Question{Name: []byte("\x03www\x07example\x00"), Type: 1, Class: 1}, Client: netip.MustParseAddr("10.0.0.1")})
	told()
	r.e.Tap = nil
	r.ask("www.example.", "10.0.0.1")
	told()
}

// heard is a resolver.Tap.
type heard []resolver.Heard

func (h *heard) Heard(x *resolver.Heard) { *h = append(*h, *x) }

// The resolver's tap is told of responses that belong to a query, and of what the query was about.
func TestTapIsToldOfOtherServers(t *testing.T) {
	r := newRig(t, nil)
	var h heard
	r.e.Resolver().SetTap(&h)
	began := r.now
	r.ask("www.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	if zone, forward := r.e.Resolver().Asked(r.sent[0].ref); zone.String() != "." || !forward {
		t.Errorf("asked about %v, forward %v", zone, forward)
	}
	r.now += 5e6
	r.e.Receive(r.now, 0, r.sent[0].server, []byte("no response at all"))
	r.answer(0, 60)
	if len(h) != 1 || h[0].Server != testServer || h[0].Sent != began || !h[0].Forward || h[0].Stream || h[0].Zone.String() != "." {
		t.Errorf("heard %+v", h)
	}
}
