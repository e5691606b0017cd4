package core

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/policy"
)

// limit gives the Engine a Limiter that lets each address ask once.
func (r *rig) limit(slip uint32, deny ...netip.Prefix) {
	r.e.Limiter = policy.NewLimiter(policy.LimitOptions{PerSecond: 1, Burst: 1, Slip: slip, IPv4Bits: 32, IPv6Bits: 64, Deny: deny})
}

func TestLimitDrops(t *testing.T) {
	r := newRig(t, nil)
	r.limit(0)
	if got := r.ask("version.test.", "10.0.0.1"); got.Outcome != Send {
		t.Fatalf("the first query: %v", got.Outcome)
	}
	before := r.e.Counters()
	for range 3 {
		if got := r.ask("version.test.", "10.0.0.1"); got.Outcome != Drop {
			t.Fatalf("a query above the rate: %v", got.Outcome)
		}
	}
	if got := r.ask("version.test.", "10.0.0.2"); got.Outcome != Send {
		t.Errorf("another client: %v", got.Outcome)
	}
	if got := r.handle(new(dns.Msg).SetQuestion("version.test.", dns.TypeA), "10.0.0.1", true); got.Outcome != Send {
		t.Errorf("over TCP: %v", got.Outcome)
	}
	after := r.e.Counters()
	if after.Limited != 3 || after.Queries != before.Queries+2 {
		t.Errorf("%d limited, %d parsed; want 3 and 2", after.Limited, after.Queries-before.Queries)
	}
	r.now += 1e9
	if got := r.ask("version.test.", "10.0.0.1"); got.Outcome != Send {
		t.Errorf("a second later: %v", got.Outcome)
	}
}

func TestLimitSlips(t *testing.T) {
	r := newRig(t, nil)
	r.limit(1)
	r.ask("version.test.", "10.0.0.1")
	q := new(dns.Msg).SetQuestion("Some.Name.test.", dns.TypeTXT)
	q.CheckingDisabled = true
	q.SetEdns0(1400, true)
	got := r.handle(q, "10.0.0.1", false)
	if got.Outcome != Send {
		t.Fatalf("outcome %v", got.Outcome)
	}
	m := unpack(t, got.Response)
	o := m.IsEdns0()
	if m.Id != q.Id || !m.Response || !m.Truncated || !m.RecursionDesired || !m.CheckingDisabled || m.Rcode != dns.RcodeSuccess ||
		len(m.Answer)+len(m.Ns) > 0 || m.Question[0] != q.Question[0] || o == nil || !o.Do() || o.UDPSize() != 1232 {
		t.Errorf("slipped %v", m)
	}
	// What cannot be parsed is dropped, and so is what is beyond the allowance of a batch.
	reqs := make([]Request, 40)
	for i := range reqs {
		reqs[i] = Request{Msg: pack(t, q), Client: client("10.0.0.1"), Buf: make([]byte, 0, 4096)}
	}
	reqs[0].Msg = reqs[0].Msg[:20]
	r.e.Handle(r.now, reqs)
	sent := 0
	for i := range reqs {
		if reqs[i].Outcome == Send {
			sent++
		}
	}
	if c := r.e.Counters(); reqs[0].Outcome != Drop || sent != 16 || c.Slipped != 17 || c.Limited != 24 {
		t.Errorf("malformed: %v; %d sent, %d slipped, %d limited", reqs[0].Outcome, sent, c.Slipped, c.Limited)
	}
}

func TestLimitDenies(t *testing.T) {
	r := newRig(t, nil)
	r.limit(1, netip.MustParsePrefix("10.0.0.0/24"))
	for _, stream := range []bool{false, true} {
		if got := r.handle(new(dns.Msg).SetQuestion("version.test.", dns.TypeA), "10.0.0.1", stream); got.Outcome != Drop {
			t.Errorf("stream %v: outcome %v", stream, got.Outcome)
		}
	}
	if c := r.e.Counters(); c.Denied != 2 || c.Queries != 0 {
		t.Errorf("%d denied, %d parsed", c.Denied, c.Queries)
	}
}

func TestLimitAllocates0(t *testing.T) {
	r, reqs := hits(t, 4, 64)
	r.limit(2)
	if n := testing.AllocsPerRun(100, func() { r.e.Handle(r.now, reqs) }); n != 0 {
		t.Fatalf("%v allocations for a batch above the rate", n)
	}
	if c := r.e.Counters(); c.Limited == 0 || c.Slipped == 0 {
		t.Errorf("%d limited, %d slipped", c.Limited, c.Slipped)
	}
}
