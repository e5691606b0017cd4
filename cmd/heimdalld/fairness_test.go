package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// dialFrom connects from an address of this machine.
func dialFrom(t *testing.T, network, ip, to string) *dns.Conn {
	t.Helper()
	c, err := tryDialFrom(t, network, ip, to)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tryDialFrom connects, or says that the other end does not want to.
func tryDialFrom(t *testing.T, network, ip, to string) (*dns.Conn, error) {
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.UDPAddr{IP: net.ParseIP(ip)}}
	if network == "tcp" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(ip)}
	}
	c, err := dialer.Dial(network, to)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(2 * patience))
	return &dns.Conn{Conn: c, UDPSize: 4096}, nil
}

// One client asks for new names without end, at a server that does not answer them. Another one gets what it
// asks for: names that are cached, and new ones.
func TestOneClientsFloodDoesNotStarveOthers(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if !strings.Contains(strings.ToLower(q.Question[0].Name), "flood") {
			answerA(w, q)
		}
	})
	d := start(t, "[resolver]\nin_flight = 64\nwaiting = 256\ntimeout = \"5s\"\n"+forward(".", up))
	stillRight(t, d, "cached.example.")
	flood := dialFrom(t, "udp", "127.0.0.2", d.addr)
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		sent := 0
		defer func() { stopped <- sent }()
		for {
			for range 50 {
				raw, _ := question(fmt.Sprintf("%d.flood.example.", sent), dns.TypeA).Pack()
				flood.Conn.Write(raw)
				sent++
			}
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	until(t, "the flood to be limited", func() bool { return limited(d)["share"] > 0 })
	good := dialFrom(t, "udp", "127.0.0.3", d.addr)
	const rounds = 50
	answered := map[string]int{}
	var wrong string
	for i := range rounds {
		for kind, name := range map[string]string{"cached": "cached.example.", "new": fmt.Sprintf("good%d.example.", i)} {
			q := question(name, dns.TypeA)
			q.SetEdns0(1232, false)
			if err := good.WriteMsg(q); err != nil {
				t.Fatal(err)
			}
			good.SetReadDeadline(time.Now().Add(10 * time.Second))
			r, err := good.ReadMsg()
			if err == nil && r.Id == q.Id && r.Rcode == dns.RcodeSuccess && len(r.Answer) == 1 {
				answered[kind]++
			} else {
				wrong = fmt.Sprint(r, err)
			}
		}
	}
	close(stop)
	sent := <-stopped
	// The kernel may drop a datagram of anyone's while the machine is busy.
	if answered["cached"] < rounds*95/100 || answered["new"] < rounds*95/100 {
		t.Errorf("answered %v of %d each beside a flood of %d; at last %s", answered, rounds, sent, wrong)
	}
	unhurt(t, d)
}

// limited returns how many misses were not resolved, by the limit that struck.
func limited(d *daemon) map[string]uint64 {
	var s struct {
		Totals struct{ Limited map[string]uint64 }
	}
	d.ctlJSON(&s, "status")
	return s.Totals.Limited
}
