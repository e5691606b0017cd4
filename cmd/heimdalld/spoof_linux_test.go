package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// guesses is how many IDs an attacker tries for one query, the right one among them. With the kinds of guesses
// below that makes some 200,000 datagrams.
const guesses = 32_000

// forged is the address that an attacker wants the daemon to believe.
const forged = "203.0.113.66"

// spoofing is an attack on one query that waits for its answer. The attacker knows more than one who is off the
// path: the query, and all ports that the daemon asks from.
type spoofing struct {
	t     *testing.T
	query *dns.Msg
	port  netip.AddrPort   // that the query left from
	ports []netip.AddrPort // that queries may leave from
	right net.PacketConn   // sends from the address that was asked
	wrong net.PacketConn   // sends from another address, with the same port
	sent  int
}

// heldQuery is one that the upstream keeps waiting.
type heldQuery struct {
	query *dns.Msg
	from  netip.AddrPort
}

// attack turns to the newest query for name among those asked, and says whether there was one.
func (s *spoofing) attack(name string, asked <-chan heldQuery) (found bool) {
	for len(asked) > 0 {
		if q := <-asked; strings.EqualFold(q.query.Question[0].Name, name) {
			s.query, s.port, found = q.query, q.from, true
		}
	}
	return found
}

// guess sends n guesses of a kind, and leaves the query as it was.
func (s *spoofing) guess(kind func(*spoofing, int), n int) {
	s.t.Helper()
	original := s.query
	s.query = original.Copy()
	kind(s, n)
	s.query = original
}

// forge returns a response that would be taken, but for its ID.
func (s *spoofing) forge() []byte {
	r := new(dns.Msg).SetReply(s.query)
	r.RecursionAvailable = true
	r.Answer = append(r.Answer, record("%s 86400 IN A "+forged, s.query.Question[0].Name))
	packed, err := r.Pack()
	if err != nil {
		s.t.Fatal(err)
	}
	return packed
}

// flood sends msg with each of many IDs, first the right one.
func (s *spoofing) flood(from net.PacketConn, to netip.AddrPort, msg []byte, n int) {
	s.t.Helper()
	peer := net.UDPAddrFromAddrPort(to)
	for i := range n {
		binary.BigEndian.PutUint16(msg, s.query.Id+uint16(i))
		if _, err := from.WriteTo(msg, peer); err != nil {
			s.t.Fatal(err)
		}
		s.sent++
	}
}

// unheard is the reason of guesses that the kernel does not hand to the daemon.
const unheard = ""

// spoofKinds are the guesses that have everything right but one thing, by the reason that the counters give.
var spoofKinds = []struct {
	reason, what string
	guess        func(s *spoofing, n int)
}{
	{"id", "the ID, at the right port", func(s *spoofing, n int) {
		s.query.Id++
		s.flood(s.right, s.port, s.forge(), n)
	}},
	{"id", "the port", func(s *spoofing, n int) {
		for _, port := range s.ports {
			if port != s.port {
				s.flood(s.right, port, s.forge(), max(n/len(s.ports), 1))
			}
		}
	}},
	{unheard, "the source address", func(s *spoofing, n int) { s.flood(s.wrong, s.port, s.forge(), n) }},
	{"letter_case", "the letter case", func(s *spoofing, n int) {
		s.query.Question[0].Name = swapCase(s.query.Question[0].Name)
		s.flood(s.right, s.port, s.forge(), n)
	}},
	{"question", "the question", func(s *spoofing, n int) {
		s.query.Question[0].Name = "x" + s.query.Question[0].Name[1:]
		s.flood(s.right, s.port, s.forge(), n)
	}},
	{"no_response", "the bit that makes it a response", func(s *spoofing, n int) {
		msg := s.forge()
		msg[2] &^= 0x80
		s.flood(s.right, s.port, msg, n)
	}},
	{"opcode", "the opcode", func(s *spoofing, n int) {
		msg := s.forge()
		msg[2] |= dns.OpcodeNotify << 3
		s.flood(s.right, s.port, msg, n)
	}},
}

// Nobody who does not see the daemon's queries answers them, however many guesses: each is refused for the one
// thing that it has wrong, is counted, and the true answer is taken when it comes.
func TestSpoofing(t *testing.T) {
	const decoys = 4 // queries that wait at other ports
	var mu sync.Mutex
	var release chan struct{}
	asked := make(chan heldQuery, 8)
	up := newUpstream(t, nil)
	up.Set(func(w dns.ResponseWriter, q *dns.Msg) {
		if from, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			select {
			case asked <- heldQuery{q.Copy(), from.AddrPort()}:
			default: // The daemon repeats what is not answered.
			}
		}
		mu.Lock()
		wait := release
		mu.Unlock()
		if wait != nil {
			<-wait
		}
		answerA(w, q)
	})
	hold := func(until chan struct{}) { // Held queries are answered, and those to come wait for until.
		mu.Lock()
		defer mu.Unlock()
		if release != nil {
			close(release)
		}
		release = until
	}
	t.Cleanup(func() { hold(nil) })
	var metrics string
	d := startWith(t, func(port string) string {
		metrics = freePort(t)
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\"]\n[cpu]\nshards = 1\npin = false\n[recursion]\nvalidation = false\n%s\n[admin]\nmetrics = %q", port, forward(".", up), metrics)
	})
	wrong, err := net.ListenPacket("udp", net.JoinHostPort("127.0.0.3", strconv.Itoa(int(up.Addr.Port()))))
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()

	sent := 0
	for i, kind := range spoofKinds {
		name := fmt.Sprintf("a-name-with-many-letters-in-it-%d.example.", i)
		answered := make(chan *dns.Msg, 1)
		hold(make(chan struct{}))
		for j := range decoys {
			go exchange(d.addr, question(fmt.Sprintf("decoy-%d-%d.example.", i, j), dns.TypeA), "udp")
		}
		until(t, "several ports to ask from", func() bool { return len(outboundPorts(t, d)) >= decoys })
		go func() {
			r, _ := exchange(d.addr, question(name, dns.TypeA), "udp") // nil when nothing came
			answered <- r
		}()
		s := &spoofing{t: t, right: up.Packets, wrong: wrong}
		until(t, "the query", func() bool { return s.attack(name, asked) })
		s.ports = outboundPorts(t, d)
		before := ignoredByReason(t, metrics)[kind.reason]
		// The best guess alone is certain to arrive: no buffer is full. It goes to the newest query: a slow machine
		// has the daemon ask again.
		until(t, "the counter of "+kind.reason, func() bool {
			s.attack(name, asked)
			s.guess(kind.guess, 1)
			return kind.reason == unheard || ignoredByReason(t, metrics)[kind.reason] > before
		})
		s.guess(kind.guess, guesses)
		var r *dns.Msg
		select {
		case r = <-answered: // On a slow machine it gives up before all guesses are sent.
			if r == nil || r.Rcode != dns.RcodeServerFailure || len(r.Answer) != 0 {
				t.Fatalf("wrong but for %s: the daemon answers before it can know: %v", kind.what, r)
			}
		default:
		}
		hold(nil)
		if r == nil {
			r = <-answered
		}
		until(t, "the true answer", func() bool {
			if r != nil && r.Rcode == dns.RcodeServerFailure {
				r = d.ask(name, dns.TypeA)
			}
			return r == nil || r.Rcode != dns.RcodeServerFailure
		})
		for range 2 { // The second comes from the cache.
			if r == nil || len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
				t.Errorf("only %s wrong: the daemon answers %v", kind.what, r)
			}
			r = d.ask(name, dns.TypeA)
		}
		t.Logf("only %s wrong: %d datagrams at %d ports, %s: %v more", kind.what, s.sent, len(s.ports), kind.reason, ignoredByReason(t, metrics)[kind.reason]-before)
		if kind.reason != unheard {
			sent += s.sent
		}
	}

	total := 0
	for _, n := range ignoredByReason(t, metrics) {
		total += n
	}
	// What the daemon's receive buffers have no room for is lost. Late answers and repetitions are ignored too.
	if late := 100; total > sent+late {
		t.Errorf("%d datagrams were ignored, but only %d sent", total, sent)
	}
	t.Logf("%d datagrams sent, %d reached the daemon, none was accepted", sent, total)
}

// outboundPorts returns where the daemon waits for answers over IPv4, as /proc tells everyone. It asks for the sockets
// of this thread's network namespace: that of the process is its first thread's, which another test may have moved.
func outboundPorts(t *testing.T, d *daemon) (ports []netip.AddrPort) {
	t.Helper()
	mine := map[string]bool{} // inodes
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		target, _ := os.Readlink(link) // It may be closed by now.
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			mine[strings.TrimSuffix(inode, "]")] = true
		}
	}
	table, err := os.ReadFile("/proc/thread-self/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		const local, inode = 1, 9 // fields
		f := strings.Fields(line)
		if len(f) <= inode || !mine[f[inode]] {
			continue
		}
		_, hex, _ := strings.Cut(f[local], ":")
		port, err := strconv.ParseUint(hex, 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		if at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)); at.String() != d.addr {
			ports = append(ports, at)
		}
	}
	return ports
}

// ignoredByReason reads the counters of datagrams that answered no query.
func ignoredByReason(t *testing.T, metrics string) map[string]int {
	t.Helper()
	text, _, err := get("http://" + metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "heimdall_upstream_ignored_total{"); ok {
			labels, value, _ := strings.Cut(strings.TrimSpace(rest), "} ")
			_, reason, _ := strings.Cut(labels, `reason="`)
			reason, _, _ = strings.Cut(reason, `"`)
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			all[reason] += int(n)
		}
	}
	return all
}
