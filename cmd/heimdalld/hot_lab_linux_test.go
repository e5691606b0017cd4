package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/netio/vethtest"
)

// hotLab is a pair whose daemon serves hot.test. and forwards the rest, with hot answers in the kernel. What is asked
// inside its namespace comes by the loopback interface, where no program is: that is what a shard answers.
type hotLab struct {
	*veth
	version atomic.Uint32 // of the upstream's answers: the last octet of its addresses
	short   atomic.Uint32 // how often the upstream was asked for short.far.example.
	// By address family: sockets of a client, and in the daemon's namespace.
	outside, inside [2]net.Conn
}

// newHotLab starts the daemon with the XDP program in a mode. prepare, if there is one, does before that what a test needs
// in the namespaces, and returns more of [xdp] and what follows it.
func newHotLab(t *testing.T, mode string, prepare ...func(*veth) string) *hotLab {
	t.Helper()
	l := &hotLab{veth: newVeth(t, 1)}
	more := ""
	for _, f := range prepare {
		more += f(l.veth)
	}
	l.version.Store(1)
	l.writeZone(t, 1)
	var up *upstream
	vethtest.Within(t, l.server, func() { up = newUpstream(t, l.resolve) })
	l.run(t, fmt.Sprintf(`[server]
listen = [%q, %q]
[cpu]
shards = 1
[recursion]
validation = false
allow = ["0.0.0.0/0", "::/0"]
[cache]
prefetch = 0
[xdp]
mode = %q
interfaces = [%q]
answer_min_hits = 2
%s
[admin]
socket = "admin.sock"
[[zone]]
name = "hot.test."
file = "zone"
`, vethIPv4, vethIPv6, mode, vethServer, more)+forward(".", up), l.netns()...)
	for i, to := range []string{vethIPv4, vethIPv6} {
		l.outside[i] = l.Dial(t, "udp", "", to)
		var err error
		vethtest.Within(t, l.server, func() { l.inside[i], err = net.Dial("udp", to) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.inside[i].Close() })
	}
	return l
}

// writeZone writes a version of the zone: the last octet of its addresses.
func (l *hotLab) writeZone(t *testing.T, version int) {
	t.Helper()
	l.writeFile(t, "zone", fmt.Sprintf("$TTL 300\n@ SOA ns host %d 3600 600 86400 60\n@ NS ns\n@ MX 10 mail\nns A 192.0.2.1\nwww A 198.51.100.%[1]d\nwww A 203.0.113.%[1]d\n"+
		"mail A 198.51.100.%[1]d\nmail AAAA 2001:db8::%[1]d\nalias CNAME www\naway CNAME www.far.example.\ntext TXT \"version %[1]d\"\nbig TXT %s\n*.wild A 198.51.100.%[1]d\n",
		version, strings.Repeat(" "+strings.Repeat("x", 100), 4)))
}

// resolve is the upstream.
func (l *hotLab) resolve(w dns.ResponseWriter, q *dns.Msg) {
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable = true
	name, version := strings.ToLower(q.Question[0].Name), l.version.Load()
	soa := record("far.example. 3600 SOA ns.far.example. host.far.example. %d 1 1 1 3600", version)
	switch {
	case strings.HasPrefix(name, "none"):
		r.Rcode, r.Ns = dns.RcodeNameError, []dns.RR{soa}
	case q.Question[0].Qtype == dns.TypeTXT:
		r.Answer = append(r.Answer, record("%s 1800 TXT \"version %d\"", name, version))
	case q.Question[0].Qtype == dns.TypeMX:
		r.Answer = append(r.Answer, record("%s 3600 MX 10 mail.%[1]s", name))
	case q.Question[0].Qtype != dns.TypeA:
		r.Ns = []dns.RR{soa}
	case strings.HasPrefix(name, "into"): // a zone that is served here
		r.Answer = append(r.Answer, record("%s 600 CNAME mail.hot.test.", name), record("mail.hot.test. 3600 A 192.0.2.%d", 66))
	case strings.HasPrefix(name, "alias"):
		r.Answer = append(r.Answer, record("%s 600 CNAME target.far.example.", name), record("target.far.example. 3600 A 198.51.100.%d", version))
	case strings.HasPrefix(name, "short"):
		r.Answer = append(r.Answer, record("%s 2 A 198.51.100.%d", name, l.short.Add(1)))
	default:
		r.Answer = append(r.Answer, record("%s 3600 A 198.51.100.%d", name, version))
	}
	w.WriteMsg(r)
}

// ask sends a query and returns the response, as octets.
func (l *hotLab) ask(t *testing.T, conn net.Conn, q []byte) []byte {
	t.Helper()
	buf := make([]byte, 4096)
	for range 5 {
		if _, err := conn.Write(q); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(3 * time.Second))
		for {
			n, err := conn.Read(buf)
			if err != nil {
				break
			}
			if n >= 12 && buf[0] == q[0] && buf[1] == q[1] {
				return buf[:n]
			}
		}
	}
	t.Fatalf("no response to %x", q)
	return nil
}

// address asks for an address and returns its last octet.
func (l *hotLab) address(t *testing.T, conn net.Conn, name string) int {
	t.Helper()
	q, err := question(name, dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	r := new(dns.Msg)
	if err := r.Unpack(l.ask(t, conn, q)); err != nil || len(r.Answer) == 0 {
		t.Fatalf("%s: %v: %v", name, err, r)
	}
	a, ok := r.Answer[len(r.Answer)-1].(*dns.A)
	if !ok {
		t.Fatalf("%s: %v", name, r)
	}
	return int(a.A.To4()[3])
}

// sent returns how many answers the kernel has sent.
func (l *hotLab) sent() uint64 {
	l.t.Helper()
	return l.exits()["send_answer"]
}

// untilHot asks for a name until the kernel answers.
func (l *hotLab) untilHot(t *testing.T, name string, want int) {
	t.Helper()
	before := l.sent()
	until(t, "the kernel to answer "+name, func() bool {
		for range 3 {
			if got := l.address(t, l.outside[0], name); got != want {
				t.Fatalf("%s: version %d, want %d", name, got, want)
			}
		}
		now := l.sent()
		defer func() { before = now }()
		return now == before+3
	})
}

// takeTTLs returns the TTLs of a response, and sets them to zero.
func takeTTLs(t *testing.T, msg []byte) (ttls []uint32) {
	t.Helper()
	records := 0
	for i := 6; i < 12; i += 2 {
		records += int(binary.BigEndian.Uint16(msg[i:]))
	}
	_, at, err := dns.UnpackDomainName(msg, 12)
	at += 4
	for range records {
		if err == nil {
			_, at, err = dns.UnpackDomainName(msg, at)
		}
		if err != nil || at+10 > len(msg) {
			t.Fatalf("malformed: %v: %x", err, msg)
		}
		if binary.BigEndian.Uint16(msg[at:]) != dns.TypeOPT {
			ttls = append(ttls, binary.BigEndian.Uint32(msg[at+4:]))
			clear(msg[at+4 : at+8])
		}
		at += 10 + int(binary.BigEndian.Uint16(msg[at+8:]))
	}
	return ttls
}
