package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// load is a constant one, of clients that know what they have asked: each query has to be answered once, with the
// right question and address.
type load struct {
	t        *testing.T
	addr     string
	stop     chan struct{}
	all      sync.WaitGroup
	answered atomic.Int64
}

// startLoad starts clients of each kind: with windows of queries over UDP, from one port each and from ever new ones; with
// pipelined queries over a connection that stays, and with a connection for each query.
func startLoad(t *testing.T, addr string) *load {
	l := &load{t: t, addr: addr, stop: make(chan struct{})}
	for i := range 3 {
		l.all.Go(func() { l.report(fmt.Sprintf("udp %d", i), l.udp(i, false)) })
		l.all.Go(func() { l.report(fmt.Sprintf("tcp %d", i), l.pipelined(i)) })
	}
	l.all.Go(func() { l.report("udp from new ports", l.udp(3, true)) })
	l.all.Go(func() { l.report("tcp connections", l.connections()) })
	t.Cleanup(l.end)
	return l
}

func (l *load) report(who string, err error) {
	if err != nil {
		l.t.Errorf("%s: %v", who, err)
	}
}

// end stops the clients, which first wait for their last answers.
func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.all.Wait()
}

func (l *load) ended() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// more waits until n more queries have been answered.
func (l *load) more(n int64) {
	l.t.Helper()
	want := l.answered.Load() + n
	until(l.t, fmt.Sprintf("%d more answers", n), func() bool { return l.answered.Load() >= want || l.t.Failed() })
}

// window are the queries of one client that are under way.
type window map[uint16]string

const windowSize = 16

// next returns a query that is under way from now on. Two in three are for names that are asked for again and again.
func (w window) next(id uint16, client int) ([]byte, error) {
	name := fmt.Sprintf("hot%d.example.", rand.IntN(50))
	if rand.IntN(3) == 0 {
		name = fmt.Sprintf("n%d-%d.c%d.example.", id, rand.Uint32(), client)
	}
	q := question(name, dns.TypeA)
	q.Id = id
	w[id] = name
	return q.Pack()
}

// take checks a response and ends its query.
func (w window) take(octets []byte) error {
	r := new(dns.Msg)
	if err := r.Unpack(octets); err != nil {
		return err
	}
	name, ok := w[r.Id]
	switch {
	case !ok:
		return fmt.Errorf("an answer to nothing, or a second one: %v", r)
	case len(r.Question) != 1 || r.Question[0].Name != name || r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1:
		return fmt.Errorf("a wrong answer to %s: %v", name, r)
	}
	if a, ok := r.Answer[0].(*dns.A); !ok || a.A.String() != "192.0.2.1" {
		return fmt.Errorf("a wrong answer to %s: %v", name, r)
	}
	delete(w, r.Id)
	return nil
}

// lateAnswers is how long a client of a window listens for second answers after the last one.
const lateAnswers = 20 * time.Millisecond

// udp sends window after window; fresh has each come from a port of its own.
func (l *load) udp(client int, fresh bool) error {
	var c net.Conn
	var err error
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	buf := make([]byte, 4096)
	id := uint16(0)
	for !l.ended() {
		if c == nil || fresh {
			if c != nil {
				c.Close()
			}
			if c, err = net.Dial("udp", l.addr); err != nil {
				return err
			}
		}
		c.SetDeadline(time.Now().Add(patience))
		w := window{}
		for range windowSize {
			octets, err := w.next(id, client)
			if err != nil {
				return err
			}
			if _, err := c.Write(octets); err != nil {
				return err
			}
			id++
		}
		for len(w) > 0 {
			n, err := c.Read(buf)
			if err != nil {
				return fmt.Errorf("%d of %d queries are not answered: %w", len(w), windowSize, err)
			}
			if err := w.take(buf[:n]); err != nil {
				return err
			}
			l.answered.Add(1)
		}
		time.Sleep(time.Millisecond)
	}
	c.SetReadDeadline(time.Now().Add(lateAnswers))
	if n, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("something comes after all queries were answered: %x, %v", buf[:n], err)
	}
	return nil
}

// pipelined sends windows over one connection, which has to stay open all the time.
func (l *load) pipelined(client int) error {
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	conn := &dns.Conn{Conn: c}
	for id := uint16(0); !l.ended(); {
		c.SetDeadline(time.Now().Add(patience))
		w := window{}
		for i := range windowSize {
			octets, err := w.next(id, 10+client)
			if err != nil {
				return err
			}
			framed := append([]byte{byte(len(octets) >> 8), byte(len(octets))}, octets...)
			if i%5 == 4 {
				// In two pieces, with time between them for anything to happen.
				if _, err := c.Write(framed[:7]); err != nil {
					return err
				}
				framed = framed[7:]
				time.Sleep(time.Millisecond)
			}
			if _, err := c.Write(framed); err != nil {
				return err
			}
			id++
		}
		for len(w) > 0 {
			octets, err := conn.ReadMsgHeader(nil)
			if err != nil {
				return fmt.Errorf("%d of %d queries are not answered: %w", len(w), windowSize, err)
			}
			if err := w.take(octets); err != nil {
				return err
			}
			l.answered.Add(1)
		}
	}
	return nil
}

// connections makes one for each query.
func (l *load) connections() error {
	for id := uint16(0); !l.ended(); id++ {
		c, err := net.DialTimeout("tcp", l.addr, patience)
		if err != nil {
			return err
		}
		c.SetDeadline(time.Now().Add(patience))
		w := window{}
		octets, err := w.next(id, 20)
		if err != nil {
			return err
		}
		if _, err := c.Write(append([]byte{byte(len(octets) >> 8), byte(len(octets))}, octets...)); err != nil {
			return err
		}
		if octets, err = (&dns.Conn{Conn: c}).ReadMsgHeader(nil); err != nil {
			return fmt.Errorf("query %d is not answered: %w", id, err)
		}
		if err := w.take(octets); err != nil {
			return err
		}
		l.answered.Add(1)
		c.(*net.TCPConn).CloseWrite()
		if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			return fmt.Errorf("something comes after the answer: %d octets, %w", n, err)
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	return nil
}
