package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// barrage makes messages that nobody should send: mutated queries and responses, and noise.
type barrage struct {
	rnd   *rand.Rand
	seeds [][]byte
}

func newBarrage(t *testing.T) *barrage {
	b := &barrage{rnd: rand.New(rand.NewPCG(7, 11))}
	q := question("www.hostile.example.", dns.TypeA)
	q.SetEdns0(1232, true)
	q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"}, &dns.EDNS0_NSID{Code: dns.EDNS0NSID}}
	r := new(dns.Msg).SetReply(q)
	r.Answer = []dns.RR{record("www.hostile.example. 60 IN MX 10 mail.hostile.example."), record("www.hostile.example. 60 IN TXT x")}
	r.Compress = true
	for _, m := range []*dns.Msg{question("a.example.", dns.TypeAAAA), q, r, chaos("version.bind.")} {
		raw, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		b.seeds = append(b.seeds, raw)
	}
	return b
}

// next returns one message. Its ID has the top bit set if it is a response, so that an answer to it is
// recognised.
func (b *barrage) next(id uint16) []byte {
	msg := append([]byte(nil), b.seeds[b.rnd.IntN(len(b.seeds))]...)
	switch b.rnd.IntN(8) {
	case 0:
		msg = make([]byte, b.rnd.IntN(600))
		for i := range msg {
			msg[i] = byte(b.rnd.Uint32())
		}
	case 1:
		msg = msg[:b.rnd.IntN(len(msg)+1)]
	case 2: // compression pointers, to anywhere
		for range 1 + b.rnd.IntN(4) {
			binary.BigEndian.PutUint16(msg[b.rnd.IntN(len(msg)-1):], 0xc000|uint16(b.rnd.IntN(64)))
		}
	case 3: // counts
		binary.BigEndian.PutUint16(msg[4+2*b.rnd.IntN(4):], uint16(b.rnd.Uint32()))
	case 4: // more than it claims
		msg = append(msg, make([]byte, b.rnd.IntN(200))...)
	default:
		for range 1 + b.rnd.IntN(6) {
			msg[b.rnd.IntN(len(msg))] = byte(b.rnd.Uint32())
		}
	}
	if len(msg) >= 3 {
		id &= 0x7fff
		if msg[2]&0x80 != 0 {
			id |= 0x8000
		}
		binary.BigEndian.PutUint16(msg, id)
	}
	return msg
}

// Whatever comes, the daemon answers each message that has a header and is no response, answers no response,
// and goes on answering good queries.
func TestUDPBarrage(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	c, err := net.Dial("udp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const rounds, each = 400, 50
	b, buf := newBarrage(t), make([]byte, 65536)
	for round := range rounds {
		want := map[uint16][]byte{}
		for i := range each {
			msg := b.next(uint16(round*each + i))
			if len(msg) >= 12 && msg[2]&0x80 == 0 {
				want[binary.BigEndian.Uint16(msg)] = msg
			}
			c.Write(msg)
		}
		c.SetDeadline(time.Now().Add(patience))
		for len(want) > 0 {
			n, err := c.Read(buf)
			if err != nil {
				for _, msg := range want {
					t.Fatalf("not answered, with %d others: % x", len(want)-1, msg)
				}
			}
			id := binary.BigEndian.Uint16(buf)
			if n < 12 || buf[2]&0x80 == 0 || want[id] == nil {
				t.Fatalf("not the response to a query: % x", buf[:n])
			}
			if err := new(dns.Msg).Unpack(buf[:n]); err != nil {
				t.Fatalf("the response to % x cannot be read: %v: % x", want[id], err, buf[:n])
			}
			delete(want, id)
		}
		if round%20 == 0 {
			stillRight(t, d, fmt.Sprintf("r%d.example.", round))
		}
	}
	unhurt(t, d)
}

// stillRight checks that a name is answered as it should be, over UDP and TCP.
func stillRight(t *testing.T, d *daemon, name string) {
	t.Helper()
	for _, network := range []string{"udp", "tcp"} {
		if r := d.exchange(question(name, dns.TypeA), network); len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
			t.Fatalf("%s over %s: %v", name, network, r)
		}
	}
}

// unhurt checks that all shards run and none had to be started again.
func unhurt(t *testing.T, d *daemon) {
	t.Helper()
	var s struct {
		Shards []struct {
			State    string
			Restarts int
		}
	}
	d.ctlJSON(&s, "shards")
	for i, sh := range s.Shards {
		if sh.State != "running" || sh.Restarts != 0 {
			t.Fatalf("shard %d is %s after %d restarts", i, sh.State, sh.Restarts)
		}
	}
}

// Datagrams of any size are taken, up to the largest there are.
func TestOversizedDatagrams(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	for _, size := range []int{513, 1233, 4096, 4097, 9000, 65507} {
		msg := make([]byte, size)
		good, _ := question("www.example.", dns.TypeA).Pack()
		copy(msg, good)
		binary.BigEndian.PutUint16(msg, 0x1234)
		if got := raw(t, d.addr, msg); got != nil && (len(got) < 12 || got[2]&0x80 == 0 || got[3]&15 != dns.RcodeFormatError) {
			t.Errorf("%d octets: answered with % x", size, got)
		}
	}
	stillRight(t, d, "www.example.")
	unhurt(t, d)
}

// Streams may carry anything, cut anywhere.
func TestTCPBarrage(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	b := newBarrage(t)
	var streams [][]byte
	for i := range 400 {
		var s []byte
		switch i % 5 {
		case 0: // noise that begins with a length that never comes
			s = make([]byte, b.rnd.IntN(3000))
			for k := range s {
				s[k] = byte(b.rnd.Uint32())
			}
		case 1: // the longest message, of zeros but for its ID
			s = binary.BigEndian.AppendUint16(s, 65535)
			s = append(s, make([]byte, 65535)...)
		default:
			for k := range 20 {
				msg := b.next(uint16(i*20 + k))
				s = binary.BigEndian.AppendUint16(s, uint16(len(msg)))
				s = append(s, msg...)
			}
			s = s[:len(s)-b.rnd.IntN(30)]
		}
		streams = append(streams, s)
	}
	var all sync.WaitGroup
	next := make(chan []byte)
	for range 8 {
		all.Go(func() {
			for s := range next {
				if err := throw(d.addr, s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i, s := range streams {
		next <- s
		if i%40 == 0 {
			stillRight(t, d, fmt.Sprintf("s%d.example.", i))
		}
	}
	close(next)
	all.Wait()
	stillRight(t, d, "end.example.")
	unhurt(t, d)
	until(t, "the connections to be gone", func() bool { return tcpConns(d) == 0 })
}

// throw sends octets over a connection of its own, and checks what comes back until its end.
func throw(addr string, octets []byte) error {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	c.Write(octets) // the daemon may have hung up already
	c.(*net.TCPConn).CloseWrite()
	for {
		var head [2]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return hungUp(err)
		}
		msg := make([]byte, binary.BigEndian.Uint16(head[:]))
		if _, err := io.ReadFull(c, msg); err != nil {
			return hungUp(err)
		}
		if len(msg) < 12 || msg[2]&0x80 == 0 {
			return fmt.Errorf("not the response to a query: % x", msg)
		}
	}
}

// hungUp returns err unless it says that the other end has closed the connection.
func hungUp(err error) error {
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		return fmt.Errorf("the connection stays open: %w", err)
	}
	return nil
}

// tcpConns returns how many connections the daemon has open.
func tcpConns(d *daemon) (n int) {
	var s struct {
		Shards []struct {
			TCPConns int `json:"tcp_conns"`
		}
	}
	d.ctlJSON(&s, "shards")
	for _, sh := range s.Shards {
		n += sh.TCPConns
	}
	return n
}
