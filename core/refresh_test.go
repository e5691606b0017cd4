package core

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/resolver"
)

// reply has the server answer the open queries with a message made of records in presentation form.
func (r *rig) reply(rcode int, ttl uint32, answer, authority string) {
	r.t.Helper()
	for _, q := range r.sent {
		m := new(dns.Msg).SetRcode(q.msg, rcode)
		m.RecursionAvailable = true
		for _, s := range []struct {
			text string
			to   *[]dns.RR
		}{{answer, &m.Answer}, {authority, &m.Ns}} {
			if s.text == "" {
				continue
			}
			rr, err := dns.NewRR(s.text)
			if err != nil {
				r.t.Fatal(err)
			}
			rr.Header().Ttl = ttl
			*s.to = append(*s.to, rr)
		}
		r.e.Receive(r.now, 0, q.server, pack(r.t, m))
	}
	r.sent = nil
}

// Whatever a refresh finds replaces what it refreshes, even if it cannot be kept: an old answer must not come back.
func TestRefreshReplaces(t *testing.T) {
	type answer struct {
		rcode             int
		answer, authority string
	}
	const soa = "example. IN SOA ns.example. h.example. 1 2 3 4 10"
	kinds := map[string]answer{
		"address":  {0, "r.example. IN A 192.0.2.1", ""},
		"other":    {0, "r.example. IN A 192.0.2.2", ""},
		"alias":    {0, "r.example. IN CNAME away.example.", soa},
		"NODATA":   {0, "", soa},
		"hollow":   {0, "", ""},
		"NXDOMAIN": {dns.RcodeNameError, "", soa},
	}
	for before, old := range kinds {
		for after, fresh := range kinds {
			for _, ttl := range []uint32{0, 10} {
				if before == after || before == "hollow" {
					continue
				}
				r := newRig(t, nil)
				r.ask("r.example.", "10.0.0.1")
				r.e.Misses(r.now, 1)
				r.reply(old.rcode, 10, old.answer, old.authority)
				r.reply(0, 10, "", soa)
				r.now += 20e9
				// A client gets the old answer because the new one takes its time, and then it comes.
				req := r.ask("r.example.", "10.0.0.1")
				if req.Outcome != Wait {
					t.Fatalf("%s: outcome %d", before, req.Outcome)
				}
				delete(r.replies, req.To)
				r.e.Misses(r.now, 1)
				r.advance(19e8)
				if m := r.replies[req.To]; m == nil || m.Rcode != old.rcode {
					t.Fatalf("%s, %s: stale answer %v", before, after, m)
				}
				r.reply(fresh.rcode, ttl, fresh.answer, fresh.authority)
				r.reply(0, ttl, "", soa)
				// Now the server is gone.
				req = r.ask("r.example.", "10.0.0.1")
				var m *dns.Msg
				if req.Outcome == Send {
					m = unpack(t, req.Response)
				} else {
					delete(r.replies, req.To)
					r.e.Misses(r.now, 1)
					r.advance(30e9)
					m = r.replies[req.To]
				}
				if m == nil || m.Rcode != dns.RcodeServerFailure && (m.Rcode != fresh.rcode || len(m.Answer) > 0 != (fresh.answer != "")) {
					t.Errorf("%s, then %s with TTL %d: %v", before, after, ttl, m)
				}
				if len(m.Answer) > 0 && old.answer != "" {
					want, _ := dns.NewRR(old.answer)
					want.Header().Ttl = m.Answer[0].Header().Ttl
					if m.Answer[0].String() == want.String() {
						t.Errorf("%s, then %s with TTL %d: the old answer is back: %v", before, after, ttl, m)
					}
				}
			}
		}
	}
}

// Stale answers that are given because the servers have failed are refreshed at once when the servers are others.
func TestOtherServersEndTheHold(t *testing.T) {
	r := newRig(t, nil)
	r.ask("r.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.reply(0, 10, "r.example. IN A 192.0.2.1", "")
	r.now += 20e9
	r.ask("r.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.sent = nil
	r.advance(10e9)
	if req := r.ask("r.example.", "10.0.0.1"); req.Outcome != Send {
		t.Fatalf("after the failure: outcome %d", req.Outcome)
	}
	r.e.SetGroups([]resolver.Group{{Zone: dname.Name{0}, Kind: resolver.Forward, Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.54:53")}}})
	req := r.ask("r.example.", "10.0.0.1")
	if req.Outcome != Wait {
		t.Fatalf("after the reload: outcome %d", req.Outcome)
	}
	delete(r.replies, req.To)
	r.e.Misses(r.now, 1)
	r.reply(0, 10, "r.example. IN A 192.0.2.2", "")
	if m := r.replies[req.To]; m == nil || chain(m) != "r.example. A 192.0.2.2" {
		t.Fatalf("after the reload: %v", m)
	}
	// If these fail, too, the hold begins anew.
	r.now += 20e9
	r.ask("r.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.advance(10e9)
	if req := r.ask("r.example.", "10.0.0.1"); req.Outcome != Send {
		t.Fatalf("after they have failed: outcome %d", req.Outcome)
	}
}
