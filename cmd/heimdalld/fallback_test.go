package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Servers that do not know EDNS say so in several ways (RFC 6891, section 7); some do not answer at all. They
// are asked without it, and that is remembered.
func TestEDNSFallback(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(w dns.ResponseWriter, q *dns.Msg){
		"FORMERR":              func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeFormatError)) },
		"NOTIMP":               func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeNotImplemented)) },
		"silence":              silent,
		"FORMERR, no question": octets(func(b []byte) []byte { b[3], b[5], b[7] = b[3]|dns.RcodeFormatError, 0, 0; return b[:12] }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			withEDNS := map[string]int{}
			up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
				if q.IsEdns0() == nil {
					answerA(w, q)
					return
				}
				mu.Lock()
				withEDNS[strings.ToLower(q.Question[0].Name)]++
				mu.Unlock()
				refuse(w, q)
			})
			d := start(t, "[resolver]\ntimeout = \"20s\"\n"+forward(".", up))
			for i := range 3 {
				stillRight(t, d, fmt.Sprintf("n%d.example.", i))
			}
			mu.Lock()
			defer mu.Unlock()
			if withEDNS["n0.example."] == 0 || withEDNS["n2.example."] != 0 {
				t.Fatalf("asked with EDNS: %v", withEDNS)
			}
		})
	}
}

// Servers that return the question in lower case are believed over TCP, or when two answers agree.
func TestLowerCasingUpstream(t *testing.T) {
	t.Parallel()
	lower := func(w dns.ResponseWriter, q *dns.Msg) {
		q.Question[0].Name = strings.ToLower(q.Question[0].Name)
		answerA(w, q)
	}
	for name, handler := range map[string]func(w dns.ResponseWriter, q *dns.Msg){
		"with TCP": lower,
		"without TCP": func(w dns.ResponseWriter, q *dns.Msg) {
			if overTCP(w) {
				w.Close()
				return
			}
			lower(w, q)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t, "[resolver]\ntimeout = \"20s\"\n"+forward(".", newUpstream(t, handler)))
			for i := range 5 {
				stillRight(t, d, fmt.Sprintf("a-name-with-many-letters-%d.example.", i))
			}
		})
	}
}

// cookieOf returns the cookie in a message, in hexadecimal.
func cookieOf(m *dns.Msg) string {
	if o := m.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if c, ok := option.(*dns.EDNS0_COOKIE); ok {
				return c.Cookie
			}
		}
	}
	return ""
}

// What a forger would have to guess changes from query to query: ID, source port and letter case. Where the server has
// returned a cookie, that takes the place of the port.
func TestQueriesAreHardToGuess(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ids, ports, names, cookies := map[uint16]bool{}, map[int]bool{}, map[string]bool{}, 0
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		mu.Lock()
		ids[q.Id] = true
		ports[w.RemoteAddr().(*net.UDPAddr).Port] = true
		labels := dns.SplitDomainName(q.Question[0].Name)
		names[strings.Join(labels[1:], ".")] = true
		given := cookieOf(q)
		if len(given) > 16 {
			cookies++
		}
		mu.Unlock()
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		m.Answer = append(m.Answer, record("%s 3600 IN A 192.0.2.1", q.Question[0].Name))
		if strings.HasSuffix(strings.ToLower(q.Question[0].Name), ".baking.") && given != "" {
			m.SetEdns0(1232, false)
			m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: given[:16] + "0123456789abcdef"})
		}
		w.WriteMsg(m)
	})
	d := start(t, forward(".", up))
	const n = 200
	for i := range n {
		d.ask(fmt.Sprintf("%d.abcdefghijklmnopqrstuvwxyz.example.", i), dns.TypeA)
	}
	mu.Lock()
	defer mu.Unlock()
	// Draws from 65,536 IDs, from 64,503 ports, from 2^33 ways to write the name.
	if len(ids) < n-10 || len(ports) < n-10 || len(names) < n-10 {
		t.Fatalf("%d IDs, %d ports, %d letter cases in %d queries", len(ids), len(ports), len(names), n)
	}
	low := 0
	for port := range ports {
		if port < 32768 {
			low++
		}
	}
	if low < n/4 || low > n*3/4 {
		t.Errorf("%d of %d ports are in the lower half", low, len(ports))
	}
	clear(ports)
	mu.Unlock()
	for i := range n {
		d.ask(fmt.Sprintf("%d.abcdefghijklmnopqrstuvwxyz.baking.", i), dns.TypeA)
	}
	mu.Lock()
	if cookies < n-10 || len(ports) < 8 || len(ports) > 50 {
		t.Errorf("%d ports and %d cookies in %d queries", len(ports), cookies, n)
	}
}

// A forwarder that is not running is known to be dead at once.
func TestForwarderIsNotRunning(t *testing.T) {
	t.Parallel()
	for _, loopback := range []string{"127.0.0.1:0", "[::1]:0"} {
		c, err := net.ListenPacket("udp", loopback)
		if err != nil {
			t.Fatal(err)
		}
		dead := c.LocalAddr().String()
		c.Close()
		// Whoever waits for time-outs here hears nothing before the client has given up.
		d := start(t, fmt.Sprintf("[resolver]\ntimeout = \"60s\"\n[[forward]]\nzone = \".\"\nservers = [%q]\n", dead))
		for i := range 5 {
			if r := d.ask(fmt.Sprintf("www%d.example.", i), dns.TypeA); r.Rcode != dns.RcodeServerFailure {
				t.Errorf("%s: %v", dead, r)
			}
		}
		if out, _ := d.ctl("upstreams"); strings.Contains(out, "down") {
			t.Errorf("%s", out)
		}
	}
}

func TestCaseRandomisationOff(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		mu.Lock()
		asked = append(asked, q.Question[0].Name)
		mu.Unlock()
		answerA(w, q)
	})
	d := start(t, "[resolver]\ncase_randomisation = false\n"+forward(".", up))
	d.ask("Some-Long-Name.Example.", dns.TypeA)
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 1 || asked[0] != "some-long-name.example." {
		t.Fatal(asked)
	}
}
