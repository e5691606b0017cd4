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

// What a forger would have to guess changes from query to query: ID, source port and letter case.
func TestQueriesAreHardToGuess(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ids, ports, names := map[uint16]bool{}, map[int]bool{}, map[string]bool{}
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		mu.Lock()
		ids[q.Id] = true
		ports[w.RemoteAddr().(*net.UDPAddr).Port] = true
		labels := dns.SplitDomainName(q.Question[0].Name)
		names[strings.Join(labels[1:], ".")] = true
		mu.Unlock()
		answerA(w, q)
	})
	d := start(t, forward(".", up))
	const n = 60
	for i := range n {
		d.ask(fmt.Sprintf("%d.abcdefghijklmnopqrstuvwxyz.example.", i), dns.TypeA)
	}
	mu.Lock()
	defer mu.Unlock()
	// 60 draws from 65536 IDs, from 64 ports, from 2^33 ways to write the name.
	if len(ids) < n-5 || len(ports) < 20 || len(names) < n-5 {
		t.Fatalf("%d IDs, %d ports, %d letter cases in %d queries", len(ids), len(ports), len(names), n)
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
