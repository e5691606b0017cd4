package lab

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// streamEvery is the time between two queries of a stream.
const streamEvery = 2 * time.Millisecond

// stragglers is how long a response is waited for.
const stragglers = 2 * time.Second

// stream is a client that asks who answers, again and again.
type stream struct {
	conn net.Conn
	done chan struct{}
	runs sync.WaitGroup

	mu   sync.Mutex
	sent []asked
	byID [1 << 16]int // the last query of each ID, in sent
	by   string       // who has answered last
}

// asked is one query.
type asked struct {
	at time.Time
	by string // who has answered; "": nobody
}

// stream begins to ask at an address.
func (n namespace) stream(addr string) (*stream, error) {
	s := &stream{done: make(chan struct{})}
	if err := n.within(func() (err error) { s.conn, err = net.Dial("udp", addr); return err }); err != nil {
		return nil, fmt.Errorf("open the client's socket: %w", err)
	}
	s.runs.Go(s.ask)
	s.runs.Go(s.hear)
	return s, nil
}

func (s *stream) close() {
	close(s.done)
	s.conn.Close()
	s.runs.Wait()
}

func (s *stream) ask() {
	tick := time.NewTicker(streamEvery)
	defer tick.Stop()
	q := new(dns.Msg).SetQuestion("who.fleet.test.", dns.TypeTXT)
	for id := uint16(0); ; id++ {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		q.Id = id
		raw, err := q.Pack()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.byID[id] = len(s.sent)
		s.sent = append(s.sent, asked{at: time.Now()})
		s.mu.Unlock()
		// An error is an ICMP message about an earlier query: this one was not sent then.
		if _, err := s.conn.Write(raw); err != nil {
			s.conn.Write(raw)
		}
	}
}

func (s *stream) hear() {
	buf := make([]byte, 4096)
	for {
		n, err := s.conn.Read(buf)
		select {
		case <-s.done:
			return
		default:
		}
		r := new(dns.Msg)
		if err != nil || r.Unpack(buf[:n]) != nil || len(r.Answer) != 1 {
			continue
		}
		txt, ok := r.Answer[0].(*dns.TXT)
		if !ok {
			continue
		}
		s.mu.Lock()
		if i := s.byID[r.Id]; i < len(s.sent) {
			s.sent[i].by, s.by = txt.Txt[0], txt.Txt[0]
		}
		s.mu.Unlock()
	}
}

// last returns who has answered last.
func (s *stream) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by
}

// Loss is what a client has lost while something happened.
type Loss struct {
	Sent, Lost int
	Gap        time.Duration // the longest time between two answered queries, one after the other
}

// aside is how long a client is watched before and after something.
const aside = 200 * time.Millisecond

// watch does something, waits until all that was asked meanwhile can have come, and tells what was lost.
func (s *stream) watch(do func() error) (Loss, error) {
	from := s.count()
	time.Sleep(aside)
	if err := do(); err != nil {
		return Loss{}, err
	}
	time.Sleep(aside)
	to := s.count()
	time.Sleep(stragglers)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := Loss{Sent: to - from}
	var before time.Time
	for _, a := range s.sent[from:to] {
		if a.by == "" {
			l.Lost++
			continue
		}
		if !before.IsZero() {
			l.Gap = max(l.Gap, a.at.Sub(before))
		}
		before = a.at
	}
	return l, nil
}

func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}
