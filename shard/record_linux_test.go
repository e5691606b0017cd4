package shard

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/netio"
	"heimdall/shard/tap/ring"
)

// hitting makes a shard that does not run, with n names in its cache, and a batch of queries for them.
func hitting(t testing.TB, n, batch int) *Shard {
	t.Helper()
	s, err := New(Options{Batch: batch, Waiters: 64, Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.poller.Close() })
	if s.engine, err = newEngine(s, netip.MustParseAddrPort("127.0.0.1:1")); err != nil {
		t.Fatal(err)
	}
	s.now = 1e9
	s.makeBuffers()
	for i := range batch {
		q := new(dns.Msg).SetQuestion(fmt.Sprintf("h%d.example.", i%n), dns.TypeA)
		r := new(dns.Msg).SetReply(q)
		r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 3600}, A: []byte{192, 0, 2, 1}}}
		r.Compress = true
		raw, err := r.Pack()
		if err != nil {
			t.Fatal(err)
		}
		key := cache.Key{Name: raw[12 : len(q.Question[0].Name)+13], Type: 1, Class: 1}
		s.engine.Answers().Put(s.engine.Answers().Hash(&key), &key, raw, cache.Meta{}, 1)
		if i%2 == 0 {
			q.SetEdns0(1232, false)
		}
		if s.in[i].Data, err = q.Pack(); err != nil {
			t.Fatal(err)
		}
		s.in[i].Peer = client(i)
	}
	return s
}

// answer handles the batch.
func (s *Shard) answer() (hits int) {
	reqs := s.reqs[:len(s.in)]
	for k := range reqs {
		at := k * responseStride
		reqs[k] = core.Request{Msg: s.in[k].Data, Client: s.in[k].Peer.Addr, Tag: uint32(k), Buf: s.bufs[at : at : at+responseCap]}
	}
	s.engine.Handle(s.now, reqs)
	s.recorder.publish(s.now)
	for k := range reqs {
		if reqs[k].Outcome == core.Send && len(reqs[k].Response) > len(reqs[k].Msg) {
			hits++
		}
	}
	return hits
}

var everything = ring.AuthQuery | ring.AuthResponse | ring.ClientQuery | ring.ClientResponse

// selections are what a query log, dnstap, and both want at most.
var selections = []struct {
	name string
	sel  ring.Selection
}{
	{"off", ring.Selection{}},
	{"lines", ring.Selection{Lines: 1}},
	{"frames", ring.Selection{Frames: 1, Messages: everything}},
	{"both", ring.Selection{Lines: 1, Frames: 1, Messages: everything}},
}

// What a record costs a shard that answers from its cache, in the time of its CPU, while another thread reads the ring. The
// selections take turns, which cancels the machine's drift; medians of the turns cancel what others do in between.
func BenchmarkRecordedHits(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const batches = 64
	shards, turns := make([]*Shard, len(selections)), make([][]float64, len(selections))
	stop := make(chan struct{})
	defer close(stop)
	for i, c := range selections {
		shards[i] = hitting(b, 64, 64)
		if c.sel != (ring.Selection{}) {
			r := ring.New(4<<20, make(chan struct{}, 1))
			shards[i].SetTap(r, c.sel)
			go drain(r, stop)
		}
	}
	for b.Loop() {
		for i, s := range shards {
			from := threadTime(b)
			for range batches {
				if s.answer() != 64 {
					b.Fatal("no hits")
				}
			}
			turns[i] = append(turns[i], float64(threadTime(b)-from)/(64*batches))
		}
	}
	for i, c := range selections {
		slices.Sort(turns[i])
		b.ReportMetric(turns[i][len(turns[i])/2], c.name+"-ns/query")
	}
	b.ReportMetric(0, "ns/op")
}

// drain reads a ring, now and then, until stop.
func drain(r *ring.Ring, stop <-chan struct{}) {
	var rec ring.Record
	for sum := 0; ; time.Sleep(time.Millisecond) {
		for r.Next(&rec) {
			sum += len(rec.Query) + len(rec.Response)
		}
		r.Release()
		select {
		case <-stop:
			return
		default:
		}
	}
}

// threadTime is the time of a CPU that this thread has had, in nanoseconds.
func threadTime(b *testing.B) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}

// A record costs no memory, and says what was asked by whom and where.
func TestRecordAllocates0(t *testing.T) {
	for _, c := range selections[1:] {
		s := hitting(t, 64, 64)
		r := ring.New(4<<20, nil)
		s.SetTap(r, c.sel)
		var rec ring.Record
		n := 0
		if allocs := testing.AllocsPerRun(10, func() {
			s.answer()
			for i := 0; r.Next(&rec); i++ {
				n++
				d := &s.in[i]
				whole := rec.Bits&ring.ResponseFrame != 0
				if rec.Peer != d.Peer.Addr || rec.PeerPort != d.Peer.Port || rec.LocalPort != 53 || rec.Local != netip.MustParseAddr("127.0.0.1").As16() ||
					whole != (len(rec.Query) > 0) || whole != (len(rec.Response) == int(rec.Size)) || rec.Question == 0 {
					panic(fmt.Sprintf("%+v", rec))
				}
			}
			r.Release()
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", c.name, allocs)
		}
		if n != 11*64 || s.stats.Recorded != 11*64 || s.stats.Unrecorded != 0 {
			t.Errorf("%s: %d records, %+v", c.name, n, s.stats)
		}
	}
}

// Where a client has asked is known by its port, or by the address.
func TestAddressOfAClient(t *testing.T) {
	s := &Shard{}
	for _, a := range []string{"127.0.0.1:53", "[::1]:54", "0.0.0.0:55", "[::]:56", "127.0.0.1:5353"} {
		s.opt.Addrs = append(s.opt.Addrs, netip.MustParseAddrPort(a))
	}
	e := func(peer, local string) *netio.Endpoint {
		e := &netio.Endpoint{Addr: netip.MustParseAddr(peer).As16()}
		if local != "" {
			e.Local = netip.MustParseAddr(local).As16()
		}
		return e
	}
	for _, c := range []struct {
		port     int
		endpoint *netio.Endpoint
		want     string
	}{
		{0, e("127.0.0.2", ""), "127.0.0.1:53"},
		{2, e("192.0.2.1", "192.0.2.2"), "192.0.2.2:55"},
		{-1, e("127.0.0.2", ""), "127.0.0.1:53"},
		{-1, e("2001:db8::1", ""), "[::1]:54"},
		{9, e("192.0.2.1", "192.0.2.2"), "192.0.2.2:55"},
		{9, e("2001:db8::1", "2001:db8::2"), "[2001:db8::2]:56"},
		{9, e("127.0.0.2", "127.0.0.1"), "127.0.0.1:53"},
		{-1, &netio.Endpoint{Addr: netip.MustParseAddr("127.0.0.2").As16(), LocalPort: 5353}, "127.0.0.1:5353"},
	} {
		addr, port := s.local(c.port, c.endpoint)
		if got := netip.AddrPortFrom(netip.AddrFrom16(addr).Unmap(), port).String(); got != c.want {
			t.Errorf("port %d: %s, want %s", c.port, got, c.want)
		}
	}
}
