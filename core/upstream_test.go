package core

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
)

// A job of validation says for whom it is, also when a sub-task needs it, so that clients can take turns.
func TestJobsNameTheirClient(t *testing.T) {
	anchors := new(dnssec.Anchors)
	anchors.Set(dnssec.RootAnchor())
	r := newRig(t, func(o *Options) {
		o.Resolver = resolver.New(resolver.Options{MaxTasks: 64, Memory: make([]byte, 1<<20), Anchors: anchors, Groups: []resolver.Group{
			{Zone: dname.Root(), Kind: resolver.Forward, Servers: []netip.AddrPort{testServer}},
		}}, rand.NewPCG(1, 2))
	})
	r.ask("www.example.", "10.0.0.7")
	r.e.Misses(r.now, 10)
	r.answer(0, 300)
	if len(r.sent) != 2 || r.sent[1].msg.Question[0].Qtype != dns.TypeDNSKEY {
		t.Fatalf("%d queries sent: %v", len(r.sent), r.sent)
	}
	keys := new(dns.Msg).SetReply(r.sent[1].msg)
	keys.RecursionAvailable = true
	keys.Answer = []dns.RR{&dns.DNSKEY{
		Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 300}, Flags: 257, Protocol: 3, Algorithm: dns.RSASHA256, PublicKey: "AwEAAQ==",
	}}
	r.e.Receive(r.now, 0, r.sent[1].server, pack(t, keys))
	if len(r.jobs) == 0 || r.jobs[0].Client != netip.MustParseAddr("10.0.0.7") {
		t.Errorf("%d jobs, the first of %v", len(r.jobs), r.jobs)
	}
}
