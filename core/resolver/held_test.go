package resolver

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// Large responses that wait for the verdict, and jobs whose tasks have ended meanwhile, take no more than their bound;
// questions beyond it fail.
func TestResponsesBeingValidatedAreBounded(t *testing.T) {
	const tasks = 128
	w := newSignedWorld(t, func(o *Options) { o.MaxTasks, o.MaxWaiters = tasks, 8*tasks })
	w.resolve(question("www.example.test.", wire.TypeA)) // the chain of trust is known from here on
	w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
		if len(r.Answer) == 0 || r.Question[0].Qtype != dns.TypeA {
			return
		}
		for i := range 200 {
			rr := dns.Copy(r.Answer[0]).(*dns.A)
			rr.A = net.IPv4(198, 51, 100, byte(i+10))
			r.Answer = append(r.Answer, rr)
		}
	}
	w.hold = true
	most, id := w.m.held.limit+w.m.held.limit/4, uint32(0)
	for range 4 { // what one round leaves behind are jobs that nobody has run
		for range tasks / 2 {
			id++
			w.begin(question(fmt.Sprintf("x%d.wild.example.test.", id), wire.TypeA), id)
			w.run(20 * time.Millisecond)
			if w.m.held.bytes > most {
				t.Fatalf("%d bytes are held, more than %d", w.m.held.bytes, most)
			}
		}
		w.run(10 * time.Second)
	}
	refused := 0
	for _, a := range w.answers {
		if strings.Contains(a.EDEText, "too many responses wait") {
			refused++
		}
	}
	if w.m.held.bytes < most/2 || refused == 0 || len(w.held) > 60 {
		t.Errorf("%d bytes are held by %d jobs, %d questions were refused", w.m.held.bytes, len(w.held), refused)
	}
	w.hold = false
	for _, late := range w.held {
		late.Job.Run(w.wall, nil, nil)
		w.m.Verified(int64(w.now), late.Ref, late.Job)
		w.perform()
	}
	w.tamper = nil
	if a, _ := w.resolve(question("last.wild.example.test.", wire.TypeA)); !a.AD {
		t.Errorf("%+v", a)
	}
	w.idle()
}

// Large responses whose keys never come keep nobody else's from being validated.
func TestLargeResponsesGiveWay(t *testing.T) {
	const tasks = 128
	w := newSignedWorld(t, func(o *Options) { o.MaxTasks, o.MaxWaiters = tasks, 8*tasks })
	w.resolve(question("nothing.test.", wire.TypeA)) // the keys of test. are known, those of example.test. are not
	for _, at := range []string{"192.0.2.3", "192.0.2.4"} {
		server := w.servers[addr(at)]
		w.servers[addr(at)] = func(q sent) []reply {
			if q.msg.Question[0].Qtype == dns.TypeDNSKEY {
				return nil
			}
			return server(q)
		}
	}
	w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
		if zone == "example.test." && len(r.Answer) > 0 {
			for i := range 200 {
				rr := dns.Copy(r.Answer[0]).(*dns.A)
				rr.A = net.IPv4(198, 51, 100, byte(i+10))
				r.Answer = append(r.Answer, rr)
			}
		}
	}
	for id := range uint32(tasks * 3 / 4) {
		w.begin(question(fmt.Sprintf("x%d.wild.example.test.", id), wire.TypeA), id)
	}
	w.run(200 * time.Millisecond)
	if w.m.held.bytes < w.m.held.limit*9/10 {
		t.Errorf("%d bytes are held of %d", w.m.held.bytes, w.m.held.limit)
	}
	rest := w.m.held.limit - w.m.held.bytes
	w.m.held.bytes += rest
	for _, typ := range []wire.Type{wire.TypeA, wire.TypeTXT} {
		if a, m := w.resolve(question("ns.test.", typ)); a.Failed || m.Rcode != dns.RcodeSuccess || !a.AD {
			t.Errorf("a small response: %+v", a)
		}
	}
	w.m.held.bytes -= rest
	w.run(time.Minute)
	w.idle()
}

// Compression makes names of two octets: a message of 64 KiB can hold thousands of records of 500. It is refused, and
// the buffers do not stay as large as it made them.
func TestNamesThatUnpackToMuch(t *testing.T) {
	label := strings.Repeat("x", 61) + "."
	long := label + label + label + strings.Repeat("y", 50) + "."
	bomb := func(query []byte, n int) []byte {
		raw := append([]byte(nil), query[:12+len(long)+1+4]...)
		raw[2], raw[3] = raw[2]|0x84, 0x80
		raw[6], raw[7], raw[10], raw[11] = byte(n>>8), byte(n), 0, 0
		for i := range n { // each target a label of its own below the question's name
			raw = append(raw, 0xC0, 12, 0, 12, 0, 1, 0, 0, 14, 16, 0, 6, 3, byte('a'+i%26), byte('a'+i/26%26), byte('a'+i/676%26), 0xC0, 12)
		}
		return raw
	}
	n := newNetwork(t, forwardTo("192.0.2.1"))
	records := 3000
	n.servers[one] = func(q sent) []reply {
		if !q.stream {
			m := new(dns.Msg).SetReply(q.msg)
			m.Truncated, m.RecursionAvailable = true, true
			return []reply{{msg: m}}
		}
		return []reply{{raw: bomb(q.raw, records)}}
	}
	if a, _ := n.resolve(question(long, wire.TypePTR)); !a.Failed {
		t.Errorf("an answer of %d octets", len(a.Msg))
	}
	for _, f := range n.m.findings.list {
		if size := cap(f.records); size > keptOctets {
			t.Errorf("%d octets are kept for records", size)
		}
	}
	records = 200
	n.run(time.Hour)
	if a, m := n.resolve(question(long, wire.TypePTR)); a.Failed || len(m.Answer) != 200 {
		t.Errorf("%+v", a)
	}
}
