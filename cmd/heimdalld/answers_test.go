package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestForwardsAndRemembers(t *testing.T) {
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	for _, network := range []string{"udp", "tcp"} {
		r := d.exchange(question("www.example.org", dns.TypeA), network)
		if r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
			t.Fatalf("over %s: %v", network, r)
		}
		if !r.Response || !r.RecursionDesired || !r.RecursionAvailable || r.Authoritative {
			t.Fatalf("flags over %s: %v", network, r.MsgHdr)
		}
	}
	if n := up.Count("www.example.org."); n != 1 {
		t.Fatalf("the upstream was asked %d times", n)
	}
}

func TestKeepsTheClientsLetterCase(t *testing.T) {
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	for _, name := range []string{"MiXeD.eXample.org.", "mixed.example.ORG.", "MIXED.EXAMPLE.ORG."} {
		r := d.ask(name, dns.TypeA)
		if r.Question[0].Name != name || len(r.Answer) != 1 || r.Answer[0].Header().Name != name {
			t.Fatalf("asked for %s: %v", name, r)
		}
	}
	if n := up.Count("mixed.example.org."); n != 1 {
		t.Fatalf("the upstream was asked %d times", n)
	}
}

func TestTTLsCountDown(t *testing.T) {
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.Answer = []dns.RR{record("%s 100 IN CNAME a.example.", q.Question[0].Name), record("a.example. 50 IN A 192.0.2.1")}
		w.WriteMsg(r)
	})
	d := start(t, forward(".", up))
	d.ask("x.example", dns.TypeA)
	until(t, "TTLs below the original ones", func() bool {
		r := d.ask("x.example", dns.TypeA)
		a, b := r.Answer[0].Header().Ttl, r.Answer[1].Header().Ttl
		if a-b != 50 || b > 50 {
			t.Fatalf("TTLs %d and %d", a, b)
		}
		return b < 50
	})
}

func TestNegativeAnswersAreCached(t *testing.T) {
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "nx") {
			r.Rcode = dns.RcodeNameError
		}
		r.Ns = []dns.RR{record("example. 300 IN SOA ns.example. host.example. 1 2 3 4 60")}
		w.WriteMsg(r)
	})
	d := start(t, forward(".", up))
	for range 3 {
		if r := d.ask("nx.example", dns.TypeA); r.Rcode != dns.RcodeNameError || len(r.Ns) != 1 || r.Ns[0].Header().Ttl > 60 {
			t.Fatalf("NXDOMAIN: %v", r)
		}
		if r := d.ask("nodata.example", dns.TypeA); r.Rcode != dns.RcodeSuccess || len(r.Answer) != 0 || len(r.Ns) != 1 {
			t.Fatalf("NODATA: %v", r)
		}
	}
	if n := up.Count(""); n != 2 {
		t.Fatalf("the upstream was asked %d times for 2 names", n)
	}
}

func TestLongestSuffixDecides(t *testing.T) {
	answer := func(addr string) func(dns.ResponseWriter, *dns.Msg) {
		return func(w dns.ResponseWriter, q *dns.Msg) {
			r := new(dns.Msg).SetReply(q)
			r.Authoritative = !q.RecursionDesired
			r.Answer = []dns.RR{record("%s 60 IN A %s", q.Question[0].Name, addr)}
			w.WriteMsg(r)
		}
	}
	root, corp, lab := newUpstream(t, answer("192.0.2.1")), newUpstream(t, answer("192.0.2.2")), newUpstream(t, answer("192.0.2.3"))
	d := start(t, "[recursion]\nquery_loopback = true\n"+forward(".", root)+forward("corp.example.", corp)+
		strings.ReplaceAll(forward("lab.corp.example.", lab), "[[forward]]", "[[stub]]"))
	for name, want := range map[string]string{
		"www.example.": "192.0.2.1", "corp.example.": "192.0.2.2", "a.b.corp.example.": "192.0.2.2",
		"lab.corp.example.": "192.0.2.3", "x.lab.corp.example.": "192.0.2.3", "xlab.corp.example.": "192.0.2.2", "xcorp.example.": "192.0.2.1",
	} {
		if r := d.ask(name, dns.TypeA); len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != want {
			t.Errorf("%s: want %s: %v", name, want, r)
		}
	}
}

// Every type is carried, known or not (RFC 3597).
func TestCarriesEveryType(t *testing.T) {
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.Answer = []dns.RR{&dns.RFC3597{
			Hdr:   dns.RR_Header{Name: q.Question[0].Name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET, Ttl: 60},
			Rdata: "c00cdeadbeef",
		}}
		w.WriteMsg(r)
	})
	d := start(t, forward(".", up))
	for _, typ := range []uint16{731, 65280, 65534} {
		for range 2 {
			r := d.ask("odd.example.", typ)
			if len(r.Answer) != 1 || r.Answer[0].(*dns.RFC3597).Rdata != "c00cdeadbeef" {
				t.Fatalf("type %d: %v", typ, r)
			}
		}
	}
}

func TestEDNS(t *testing.T) {
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	q := question("e.example", dns.TypeA)
	if r := d.exchange(q, "udp"); r.IsEdns0() != nil {
		t.Fatalf("an OPT without being asked: %v", r)
	}
	q.SetEdns0(4096, true)
	q.IsEdns0().Option = append(q.IsEdns0().Option, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("echo")}, &dns.EDNS0_NSID{Code: dns.EDNS0NSID})
	r := d.exchange(q, "udp")
	opt := r.IsEdns0()
	if opt == nil || opt.UDPSize() != 1232 || !opt.Do() || len(opt.Option) != 0 {
		t.Fatalf("OPT: %v", r)
	}
	q.IsEdns0().SetVersion(7)
	if r := d.exchange(q, "udp"); r.Rcode != dns.RcodeBadVers || r.IsEdns0() == nil || r.IsEdns0().Version() != 0 {
		t.Fatalf("EDNS version 7: %v", r)
	}
}

// raw sends octets over UDP and returns what comes back before the response to a good query sent behind it.
func raw(t *testing.T, addr string, msg []byte) []byte {
	t.Helper()
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	c.Write(msg)
	marker, _ := chaos("version.bind.").Pack()
	binary.BigEndian.PutUint16(marker, 0xfffe)
	c.Write(marker)
	var got []byte
	for buf := make([]byte, 65536); ; {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("no answer to the good query behind % x: %v", msg, err)
		}
		if binary.BigEndian.Uint16(buf) == 0xfffe {
			return got
		}
		got = bytes.Clone(buf[:n])
	}
}

func TestMalformedQueries(t *testing.T) {
	d := start(t, forward(".", newUpstream(t, nil)))
	good, _ := question("www.example.", dns.TypeA).Pack()
	binary.BigEndian.PutUint16(good, 0x1234)
	edit := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	const dropped = -1
	for name, c := range map[string]struct {
		msg   []byte
		rcode int
	}{
		"empty":             {nil, dropped},
		"eleven octets":     {good[:11], dropped},
		"a response":        {edit(func(b []byte) []byte { b[2] |= 0x80; return b }), dropped},
		"broken response":   {edit(func(b []byte) []byte { b[2] |= 0x80; return b[:14] }), dropped},
		"opcode 15":         {edit(func(b []byte) []byte { b[2] |= 0x78; return b }), dns.RcodeNotImplemented},
		"no question":       {edit(func(b []byte) []byte { b[5] = 0; return b[:12] }), dns.RcodeFormatError},
		"two questions":     {edit(func(b []byte) []byte { b[5] = 2; return append(b, b[12:]...) }), dns.RcodeFormatError},
		"cut in the name":   {good[:18], dns.RcodeFormatError},
		"cut in the type":   {good[:len(good)-3], dns.RcodeFormatError},
		"pointer to itself": {append(bytes.Clone(good[:12]), 0xc0, 12, 0, 1, 0, 1), dns.RcodeFormatError},
		"reserved label":    {append(bytes.Clone(good[:12]), 0x80, 1, 0, 0, 1, 0, 1), dns.RcodeFormatError},
		"octets behind":     {append(bytes.Clone(good), 1, 2, 3), dns.RcodeFormatError},
		"name of 320":       {append(append(bytes.Clone(good[:12]), bytes.Repeat(append([]byte{63}, bytes.Repeat([]byte{'a'}, 63)...), 5)...), 0, 0, 1, 0, 1), dns.RcodeFormatError},
		"header only, QD 1": {good[:12], dns.RcodeFormatError},
		"an answer in it":   {edit(func(b []byte) []byte { b[7] = 1; return append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0) }), dns.RcodeFormatError},
	} {
		got := raw(t, d.addr, c.msg)
		switch {
		case c.rcode == dropped:
			if got != nil {
				t.Errorf("%s: answered with % x", name, got)
			}
		case got == nil:
			t.Errorf("%s: not answered", name)
		case len(got) < 12 || got[0] != 0x12 || got[1] != 0x34 || got[2]&0x80 == 0 || int(got[3]&15) != c.rcode:
			t.Errorf("%s: answered with % x, want RCODE %d", name, got, c.rcode)
		}
	}
}

// Large answers end on a whole RRset over UDP and come whole over TCP.
func TestTruncation(t *testing.T) {
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		for i := range 120 {
			r.Answer = append(r.Answer, record("%s 60 IN A 10.0.0.%d", q.Question[0].Name, i))
		}
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			r.Truncate(1232)
		}
		w.WriteMsg(r)
	})
	d := start(t, forward(".", up))
	for range 2 {
		for size, edns := range map[uint16]bool{512: false, 1232: true, 4096: true} {
			q := question("big.example", dns.TypeA)
			if edns {
				q.SetEdns0(size, false)
			}
			r := d.exchange(q, "udp")
			if r.Truncated != true || len(r.Answer) != 0 {
				t.Fatalf("size %d: TC %v with %d records of an RRset of 120", size, r.Truncated, len(r.Answer))
			}
		}
		if r := d.exchange(question("big.example", dns.TypeA), "tcp"); r.Truncated || len(r.Answer) != 120 {
			t.Fatalf("over TCP: TC %v, %d records", r.Truncated, len(r.Answer))
		}
	}
}

func TestRefusesWhoMayNotAsk(t *testing.T) {
	d := start(t, "[recursion]\nallow = [\"192.0.2.0/24\"]\n"+forward(".", newUpstream(t, nil)))
	if r := d.ask("www.example.", dns.TypeA); r.Rcode != dns.RcodeRefused || len(r.Answer) != 0 {
		t.Fatal(r)
	}
}

func TestLocalNames(t *testing.T) {
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	if r := d.ask("localhost.", dns.TypeA); len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "127.0.0.1" {
		t.Error(r)
	}
	for _, name := range []string{"x.invalid.", "x.onion.", "x.test.", "1.0.168.192.in-addr.arpa."} {
		if r := d.ask(name, dns.TypeA); r.Rcode != dns.RcodeNameError {
			t.Error(r)
		}
	}
	if n := up.Count(""); n != 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}

// Queries of one connection may be sent at once, and a slow one does not hold up the others (RFC 7766).
func TestPipelining(t *testing.T) {
	release := make(chan struct{})
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "slow") {
			<-release
		}
		answerA(w, q)
	})
	d := start(t, "[resolver]\ntimeout = \"30s\"\n"+forward(".", up))
	c, err := dns.DialTimeout("tcp", d.addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	names := []string{"slow.example."}
	for i := range 20 {
		names = append(names, fmt.Sprintf("fast%d.example.", i))
	}
	for i, n := range names {
		q := question(n, dns.TypeA)
		q.Id = uint16(i)
		if err := c.WriteMsg(q); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[uint16]bool{}
	for range 20 {
		r, err := c.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		if r.Id == 0 || seen[r.Id] || r.Question[0].Name != names[r.Id] || len(r.Answer) != 1 {
			t.Fatalf("response %v", r)
		}
		seen[r.Id] = true
	}
	close(release)
	if r, err := c.ReadMsg(); err != nil || r.Id != 0 {
		t.Fatalf("the slow one: %v, %v", r, err)
	}
}
