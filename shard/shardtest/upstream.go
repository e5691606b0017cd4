package shardtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Handler answers a query.
type Handler func(w dns.ResponseWriter, q *dns.Msg)

// Upstream is a server to be asked: an ordinary one, whose handler may do what it likes. Safe for concurrent use.
type Upstream struct {
	Addr    netip.AddrPort // of UDP and TCP
	Packets net.PacketConn // what it sends from

	mu      sync.Mutex
	handler Handler
	asked   map[string]int
	total   int
}

// NewUpstream starts a server over UDP and TCP, which ends with the test. A nil handler is AnswerA.
func NewUpstream(t testing.TB, handler func(w dns.ResponseWriter, q *dns.Msg)) *Upstream {
	t.Helper()
	if handler == nil {
		handler = AnswerA
	}
	packets, streams := ListenBoth(t, "127.0.0.1")
	u := &Upstream{Addr: netip.MustParseAddrPort(streams.Addr().String()), Packets: packets, handler: handler, asked: map[string]int{}}
	for _, srv := range []*dns.Server{{PacketConn: packets, Handler: u}, {Listener: streams, Handler: u}} {
		ready := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(ready) }
		failed := make(chan error, 1)
		go func() { failed <- srv.ActivateAndServe() }()
		select {
		case <-ready:
		case err := <-failed:
			t.Fatal(err)
		}
		t.Cleanup(func() {
			// Not for long: a handler may wait for what a test that failed no longer does.
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			srv.ShutdownContext(ctx)
		})
	}
	return u
}

// ServeDNS implements dns.Handler.
func (u *Upstream) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	u.mu.Lock()
	u.total++
	if len(q.Question) == 1 {
		u.asked[strings.ToLower(q.Question[0].Name)]++
	}
	h := u.handler
	u.mu.Unlock()
	h(w, q)
}

// Set replaces the handler.
func (u *Upstream) Set(handler func(w dns.ResponseWriter, q *dns.Msg)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.handler = handler
}

// Count returns how often a name was asked for; "" stands for all.
func (u *Upstream) Count(name string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if name == "" {
		return u.total
	}
	return u.asked[strings.ToLower(name)]
}

// AnswerA answers every name with the address 192.0.2.1 for an hour.
func AnswerA(w dns.ResponseWriter, q *dns.Msg) {
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable = true
	if q.Question[0].Qtype == dns.TypeA {
		r.Answer = append(r.Answer, Record("%s 3600 IN A 192.0.2.1", q.Question[0].Name))
	}
	w.WriteMsg(r)
}

// Record reads a record in presentation form, which has to be right.
func Record(format string, args ...any) dns.RR {
	rr, err := dns.NewRR(fmt.Sprintf(format, args...))
	if err != nil {
		panic(err)
	}
	return rr
}

// FreePort finds a port on 127.0.0.1 that is free for UDP and TCP. Another process may take it before it is used.
func FreePort(t testing.TB) string {
	t.Helper()
	packets, streams := ListenBoth(t, "127.0.0.1")
	packets.Close()
	streams.Close()
	return streams.Addr().String()
}

// ListenBoth opens sockets for UDP and TCP on the same port.
func ListenBoth(t testing.TB, ip string) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := net.ListenPacket("udp", l.Addr().String()); err == nil {
			return p, l
		}
		l.Close()
	}
	t.Fatal("no free port")
	return nil, nil
}
