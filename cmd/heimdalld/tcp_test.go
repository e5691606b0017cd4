package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// dialTCP connects to the daemon.
func dialTCP(t *testing.T, d *daemon) *dns.Conn { return dialFrom(t, "tcp", "127.0.0.1", d.addr) }

// ask sends a query over an open connection and returns the response.
func askOver(c *dns.Conn, q *dns.Msg) (*dns.Msg, error) {
	if err := c.WriteMsg(q); err != nil {
		return nil, err
	}
	return c.ReadMsg()
}

// closedByDaemon checks that nothing more comes but the end.
func closedByDaemon(t *testing.T, c net.Conn) {
	t.Helper()
	var one [1]byte
	n, err := c.Read(one[:])
	if ne, ok := errors.AsType[net.Error](err); n != 0 || err == nil || ok && ne.Timeout() {
		t.Errorf("the connection is not closed: %d octets, %v", n, err)
	}
}

// A connection is closed after the idle timeout, but not while a query is in flight.
func TestTCPIdleTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) { <-release; answerA(w, q) })
	d := start(t, "[tcp]\nidle_timeout = \"300ms\"\n[resolver]\ntimeout = \"30s\"\n"+forward(".", up))
	waits := dialTCP(t, d)
	waits.WriteMsg(question("slow.example.", dns.TypeA))
	closedByDaemon(t, dialTCP(t, d).Conn) // said nothing
	half := dialTCP(t, d)
	half.Conn.Write([]byte{0, 40, 1, 2})
	closedByDaemon(t, half.Conn) // began a message
	var used *dns.Conn
	until(t, "an answer before the connection is too old", func() bool {
		used = dialTCP(t, d)
		r, err := askOver(used, chaos("version.bind."))
		return err == nil && len(r.Answer) == 1
	})
	closedByDaemon(t, used.Conn)
	if n := tcpConns(d); n != 1 {
		t.Errorf("%d connections are open, want the one that waits", n)
	}
	close(release)
	if r, err := waits.ReadMsg(); err != nil || len(r.Answer) != 1 {
		t.Errorf("the connection that waits: %v, %v", r, err)
	}
	closedByDaemon(t, waits.Conn)
}

// RFC 7828: a client that asks is told how long it may be idle, over TCP only, also when it had to wait.
func TestTCPKeepalive(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "b") {
			<-release
		}
		answerA(w, q)
	})
	d := start(t, "[tcp]\nidle_timeout = \"12s\"\n[resolver]\ntimeout = \"30s\"\n"+forward(".", up))
	keepAlive := func(r *dns.Msg) *dns.EDNS0_TCP_KEEPALIVE {
		for _, o := range r.IsEdns0().Option {
			if k, ok := o.(*dns.EDNS0_TCP_KEEPALIVE); ok {
				return k
			}
		}
		return nil
	}
	q := question("a.example.", dns.TypeA)
	q.SetEdns0(1232, false)
	q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE}}
	for _, what := range []string{"a miss", "a hit"} {
		if k := keepAlive(d.exchange(q, "tcp")); k == nil || k.Timeout != 120 {
			t.Errorf("%s: keepalive %v, want 120 times 100 ms", what, k)
		}
	}
	waits := dialTCP(t, d)
	q.Question[0].Name = "b.example."
	waits.WriteMsg(q)
	until(t, "the query to wait", func() bool { return inFlight(d) == 1 })
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatal(out)
	}
	close(release)
	if r, err := waits.ReadMsg(); err != nil || keepAlive(r) == nil {
		t.Errorf("a miss, with a reload while it waits: %v, %v", r, err)
	}
	if k := keepAlive(d.exchange(q, "udp")); k != nil {
		t.Errorf("keepalive over UDP: %v", k)
	}
	q.IsEdns0().Option = nil
	if k := keepAlive(d.exchange(q, "tcp")); k != nil {
		t.Errorf("keepalive without being asked: %v", k)
	}
}

// A message of length zero is none, and ends the connection; what was asked before it is answered or not, but
// nobody else suffers.
func TestTCPZeroLength(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	other := dialTCP(t, d)
	c := dialTCP(t, d)
	c.Conn.Write([]byte{0, 0})
	closedByDaemon(t, c.Conn)
	if r, err := askOver(other, question("www.example.", dns.TypeA)); err != nil || len(r.Answer) != 1 {
		t.Errorf("%v, %v", r, err)
	}
}

// Messages come in whatever pieces the network makes of them.
func TestTCPInPieces(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	c := dialTCP(t, d)
	raw, _ := question("pieces.example.", dns.TypeA).Pack()
	stream := append(binary.BigEndian.AppendUint16(nil, uint16(len(raw))), raw...)
	for range 3 {
		for _, b := range stream {
			if _, err := c.Conn.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := c.ReadMsg(); err != nil || len(r.Answer) != 1 {
			t.Fatalf("%v, %v", r, err)
		}
	}
}

// A client that sends no more still gets what it has asked for.
func TestTCPHalfClose(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) { <-release; answerA(w, q) })
	d := start(t, "[resolver]\ntimeout = \"30s\"\n"+forward(".", up))
	c := dialTCP(t, d)
	const n = 10
	for i := range n {
		c.WriteMsg(question(fmt.Sprintf("n%d.example.", i), dns.TypeA))
	}
	c.Conn.(*net.TCPConn).CloseWrite()
	until(t, "all queries to wait", func() bool { return inFlight(d) == n })
	close(release)
	for i := range n {
		if r, err := c.ReadMsg(); err != nil || len(r.Answer) != 1 {
			t.Fatalf("response %d: %v, %v", i, r, err)
		}
	}
	closedByDaemon(t, c.Conn)
}

// No more queries of one connection are in flight than max_pipelined; the others follow.
func TestTCPPipelineLimit(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) { <-release; answerA(w, q) })
	d := start(t, "[tcp]\nmax_pipelined = 3\n[resolver]\ntimeout = \"30s\"\n"+forward(".", up))
	c := dialTCP(t, d)
	const n = 40
	for i := range n {
		q := question(fmt.Sprintf("n%d.example.", i), dns.TypeA)
		q.Id = uint16(i)
		c.WriteMsg(q)
	}
	until(t, "queries to wait", func() bool { return inFlight(d) == 3 })
	stillRightUDP(t, d)
	if got := inFlight(d); got != 3 {
		t.Errorf("%d queries wait", got)
	}
	close(release)
	seen := map[uint16]bool{}
	for range n {
		r, err := c.ReadMsg()
		if err != nil || len(r.Answer) != 1 || seen[r.Id] {
			t.Fatalf("after %d: %v, %v", len(seen), r, err)
		}
		seen[r.Id] = true
	}
}

// stillRightUDP asks for something that needs no server.
func stillRightUDP(t *testing.T, d *daemon) {
	t.Helper()
	if r := d.exchange(chaos("version.bind."), "udp"); len(r.Answer) != 1 {
		t.Fatal(r)
	}
}

// A client that asks and does not read is cut when more than max_queued waits for it. Others do not notice.
func TestTCPSlowReader(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.RecursionAvailable = true
		for i := range 100 {
			r.Answer = append(r.Answer, record("%s 3600 IN TXT %d-%s", q.Question[0].Name, i, strings.Repeat("x", 200)))
		}
		if !overTCP(w) {
			r.Truncate(1232)
		}
		w.WriteMsg(r)
	})
	d := start(t, "[tcp]\nmax_queued = \"64KiB\"\n"+forward(".", up))
	q := question("large.example.", dns.TypeTXT)
	if r := d.exchange(q, "tcp"); len(r.Answer) != 100 {
		t.Fatal(r)
	}
	slow := dialTCP(t, d)
	slow.Conn.(*net.TCPConn).SetReadBuffer(4096)
	before := rss(t, d)
	go func() {
		for slow.WriteMsg(q) == nil {
		}
	}()
	until(t, "the daemon to hold the responses", func() bool { return tcpConns(d) == 1 })
	until(t, "the slow reader to be cut", func() bool {
		stillRightUDP(t, d)
		return tcpConns(d) == 0
	})
	// What the kernel had taken may still come, and then an error, for the connection was reset.
	if _, err := io.Copy(io.Discard, slow.Conn); err == nil {
		t.Log("the rest came with an ordinary end")
	}
	if after := rss(t, d); after > before+16<<20 {
		t.Errorf("%d bytes were resident, %d are", before, after)
	}
	if r := d.exchange(q, "tcp"); len(r.Answer) != 100 {
		t.Fatal(r)
	}
}

// One client may hold max_per_client connections; another one then still gets in.
func TestTCPConnectionsOfOneClient(t *testing.T) {
	t.Parallel()
	d := start(t, "[tcp]\nmax_per_client = 3\nidle_timeout = \"5m\"\n"+forward(".", newUpstream(t, nil)))
	var open []*dns.Conn
	for range 3 {
		c := dialFrom(t, "tcp", "127.0.0.2", d.addr)
		if r, err := askOver(c, chaos("version.bind.")); err != nil || len(r.Answer) != 1 {
			t.Fatalf("%v, %v", r, err)
		}
		open = append(open, c)
	}
	for range 3 {
		if c, err := tryDialFrom(t, "tcp", "127.0.0.2", d.addr); err == nil {
			closedByDaemon(t, c.Conn)
		}
	}
	open = append(open, dialFrom(t, "tcp", "127.0.0.3", d.addr))
	for i, c := range open {
		if r, err := askOver(c, question("www.example.", dns.TypeA)); err != nil || len(r.Answer) != 1 {
			t.Errorf("connection %d: %v, %v", i, r, err)
		}
	}
	open[0].Close()
	until(t, "the client to have room again", func() bool {
		c, err := tryDialFrom(t, "tcp", "127.0.0.2", d.addr)
		if err != nil {
			return false
		}
		r, err := askOver(c, chaos("version.bind."))
		return err == nil && len(r.Answer) == 1
	})
}

// At max_connections the connection longest idle makes room.
func TestTCPConnectionLimit(t *testing.T) {
	t.Parallel()
	d := start(t, "[tcp]\nmax_connections = 4\nmax_per_client = 4\nidle_timeout = \"5m\"\n"+forward(".", newUpstream(t, nil)))
	for i := range 40 {
		c := dialFrom(t, "tcp", fmt.Sprintf("127.0.1.%d", i+1), d.addr)
		if r, err := askOver(c, chaos("version.bind.")); err != nil || len(r.Answer) != 1 {
			t.Fatalf("connection %d: %v, %v", i, r, err)
		}
		if n := tcpConns(d); n > 4 {
			t.Fatalf("%d connections are open", n)
		}
	}
}

// Hundreds of connections come and go, some in the middle of a message, and leave nothing behind.
func TestTCPConnectionsLeaveNothing(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	stillRight(t, d, "www.example.")
	until(t, "no connection", func() bool { return tcpConns(d) == 0 })
	before := descriptors(d)
	for i := range 300 {
		c, err := net.DialTimeout("tcp", d.addr, patience)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0:
			c.(*net.TCPConn).SetLinger(0)
		case 1:
			c.Write([]byte{0, 200, 1})
		case 2:
			(&dns.Conn{Conn: c}).WriteMsg(question(fmt.Sprintf("n%d.example.", i), dns.TypeA))
		}
		c.Close()
	}
	until(t, "no connection", func() bool { return tcpConns(d) == 0 })
	until(t, "no query in flight", func() bool { return inFlight(d) == 0 })
	if after := descriptors(d); after > before+64 { // source ports towards the server
		t.Errorf("%d descriptors were open, %d are", before, after)
	}
	stillRight(t, d, "www.example.")
}
