package core

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/zone"
)

// Whatever makes a response, it leaves by one exit, which counts it.
func TestEachResponseLeavesByTheExit(t *testing.T) {
	r := newRig(t, nil)
	r.e.SetZones(zone.NewSet([]*zone.Zone{served(t, "own.alpha.", "www.own.alpha. 60 A 10.0.0.1"), zone.NewUnready(dnametest.Name("down.alpha."))}))
	sent, waiting := 0, 0
	take := func(what string, req *Request) {
		t.Helper()
		switch req.Outcome {
		case Send:
			sent++
		case Wait:
			waiting++
		default:
			t.Errorf("%s: no response", what)
		}
	}
	ask := func(name, from string, edit func(*dns.Msg)) {
		t.Helper()
		q := new(dns.Msg).SetQuestion(name, dns.TypeA)
		if edit != nil {
			edit(q)
		}
		take(name, r.handle(q, from, false))
	}
	ask("www.own.alpha.", "192.0.2.1", nil)
	ask("www.down.alpha.", "10.0.0.1", nil)
	ask("localhost.", "10.0.0.1", nil)
	ask("www.example.", "192.0.2.1", nil)                                             // refused
	ask("www.example.", "10.0.0.1", withoutRD)                                        // unknown
	ask("www.example.", "10.0.0.1", func(m *dns.Msg) { m.Opcode = dns.OpcodeIQuery }) // NOTIMP
	ask("a.example.", "10.0.0.1", nil)
	ask("b.example.", "10.0.0.2", nil)
	ask("c.example.", "10.0.0.3", nil)
	r.e.Misses(r.now, 10)
	r.answer(0, 300)
	ask("a.example.", "10.0.0.1", nil) // a hit, or another miss
	r.limit(1)
	ask("a.example.", "10.0.0.9", nil)
	take("above the rate", r.handle(new(dns.Msg).SetQuestion("b.example.", dns.TypeA), "10.0.0.9", false)) // TC
	r.e.Limiter = nil
	r.advance(60e9)
	r.e.Misses(r.now, 10)
	ask("d.example.", "10.0.0.4", nil)
	r.e.Abandon(r.now)
	if len(r.order) != waiting {
		t.Errorf("%d waited, %d got a response", waiting, len(r.order))
	}
	total := 0
	for _, n := range r.e.Counters().Rcodes {
		total += int(n)
	}
	if total != sent+waiting {
		t.Errorf("%d responses, %d left by the exit: %v", sent+waiting, total, r.e.Counters().Rcodes)
	}
	if c := r.e.Counters(); c.Truncated != 1 || c.Slipped != 1 {
		t.Errorf("%d truncated, %d slipped", c.Truncated, c.Slipped)
	}
}
