package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// With as many queries in flight and waiting as there may be, the newest miss gets SERVFAIL and is counted.
// Hits go on.
func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, "[resolver]\nin_flight = 4\nwaiting = 4\nper_client = 100\ntimeout = \"30s\"\n"+forward(".", up))
	stillRight(t, d, "cached.example.")
	up.Set(silent)
	c, err := dns.Dial("udp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * patience))
	const asked, room = 60, 4 + 4
	for i := range asked {
		q := question(fmt.Sprintf("n%d.example.", i), dns.TypeA)
		q.Id = uint16(i)
		q.SetEdns0(1232, false)
		if err := c.WriteMsg(q); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			stillRight(t, d, "cached.example.")
		}
	}
	refused := map[uint16]bool{}
	for len(refused) < asked-room {
		r, err := c.ReadMsg()
		if err != nil {
			t.Fatalf("after %d of %d: %v", len(refused), asked-room, err)
		}
		if _, extended := ede(r); r.Rcode != dns.RcodeServerFailure || !extended || refused[r.Id] {
			t.Fatal(r)
		}
		refused[r.Id] = true
	}
	if n := inFlight(d); n > room {
		t.Errorf("%d clients wait", n)
	}
	until(t, "all refused to be counted", func() bool {
		l := limited(d)
		return l["in_flight"]+l["share"]+l["waited"] >= asked-room
	})
	stillRight(t, d, "cached.example.")
	if up.Count("") > 200 {
		t.Errorf("the upstream was asked %d times", up.Count(""))
	}
}

// The same question of many clients is one query.
func TestQueriesInFlightAreShared(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) { <-release; answerA(w, q) })
	d := start(t, "[resolver]\ntimeout = \"30s\"\n"+forward(".", up))
	const clients = 50
	var conns []*dns.Conn
	for i := range clients {
		c, err := dns.Dial([]string{"udp", "tcp"}[i%2], d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		q := question("Shared.Example.", dns.TypeA)
		if i%4 > 1 {
			q = question("shared.EXAMPLE.", dns.TypeA)
		}
		if err := c.WriteMsg(q); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	until(t, "all clients to wait", func() bool { return inFlight(d) == clients })
	close(release)
	for i, c := range conns {
		r, err := c.ReadMsg()
		if err != nil || len(r.Answer) != 1 {
			t.Fatalf("client %d: %v, %v", i, r, err)
		}
		if want := []string{"Shared.Example.", "shared.EXAMPLE."}[i%4/2]; r.Question[0].Name != want {
			t.Fatalf("client %d asked for %s: %v", i, want, r)
		}
	}
	// Retransmissions towards the server count as well; there was no other cause to ask again.
	if n := up.Count("shared.example."); n > 5 {
		t.Fatalf("the upstream was asked %d times", n)
	}
	until(t, "nothing to be in flight", func() bool { return inFlight(d) == 0 })
}

// A chain of aliases without end is given up.
func TestEndlessAliases(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.RecursionAvailable = true
		name := q.Question[0].Name
		target := "x" + name
		if strings.HasPrefix(strings.ToLower(name), "loop") {
			target = name
		}
		if len(target) > 60 {
			target = "a.example."
		}
		r.Answer = []dns.RR{record("%s 60 IN CNAME %s", name, target)}
		w.WriteMsg(r)
	})
	d := start(t, forward(".", up))
	for _, name := range []string{"loop.example.", "endless.example."} {
		r := d.ask(name, dns.TypeA)
		if r.Rcode != dns.RcodeServerFailure || len(r.Answer) != 0 {
			t.Errorf("%s: %v", name, r)
		}
	}
	if n := up.Count(""); n > 100 {
		t.Errorf("the upstream was asked %d times", n)
	}
	until(t, "nothing to be in flight", func() bool { return inFlight(d) == 0 })
}
