package main

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKernelTimes: a generator that sends late and reads late does not charge the server for it.
func TestKernelTimes(t *testing.T) {
	server := startUDP(t, "udp4", "127.0.0.1:0", nil)
	g := newTestGenerator(t, append(quick, "-scenario", "beside", "-server", server.addr)...)
	threads, err := g.threads(g.opt.targets[0].addr, 1, time.Minute, flow{rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer threads[0].close()
	s := threads[0].streams[0]
	r := newRest(threads[0].streams)
	const late = 30 * time.Millisecond
	for try := uint64(1); ; try++ {
		s.latency.Reset()
		s.schedule = newSchedule(g.clock(), 1, 1e9, 1e9, false)
		time.Sleep(late)
		s.kernel = kernelTimes{clock: g.clock, epoch: time.Now().UnixNano() - g.clock()}
		began := g.clock()
		if n := s.send(began, 1); n != 1 {
			t.Fatalf("%d queries went", n)
		}
		for {
			n, err := unix.Poll(r.files, -1)
			if n > 0 {
				break
			}
			if err != nil && err != unix.EINTR {
				t.Fatal(err)
			}
		}
		came := g.clock()
		time.Sleep(late)
		s.receive(g.clock, g.clock())
		if s.replies != try || s.latency.TotalCount() != 1 {
			t.Fatalf("%d latencies, %d replies in %d tries: %s", s.latency.TotalCount(), s.replies, try, s.first)
		}
		// The kernel stamps arrivals only once its worker has patched the code: see MeasureAge of netio/udp. Until
		// then the stamp is of the receipt.
		if stamp := s.lines[0].arrived(0) - s.kernel.epoch; stamp > came {
			if try == 100 {
				t.Fatalf("stamped %d ns after it had come", stamp-came)
			}
			continue
		}
		// The histogram keeps three digits.
		if took, most := s.latency.Max(), (came-began)*101/100; took > most {
			t.Errorf("took %d ns, of at most %d that the server had", took, most)
		}
		break
	}
}

// TestRest: a rest lasts until a query is due.
func TestRest(t *testing.T) {
	server := startUDP(t, "udp4", "127.0.0.1:0", nil)
	g := newTestGenerator(t, append(quick, "-scenario", "beside", "-server", server.addr)...)
	threads, err := g.threads(g.opt.targets[0].addr, 1, time.Minute, flow{rate: 1}, flow{rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer threads[0].close()
	due := g.clock() + int64(20*time.Millisecond)
	for i, s := range threads[0].streams {
		s.schedule = newSchedule(due+int64(i)*1e12, 1, 1e9, 1e9, false)
	}
	r := newRest(threads[0].streams)
	for rests := 0; g.clock() < due; rests++ {
		if r.take(threads[0]); rests > 100 { // signals may end a few
			t.Fatal("the rests end before a query is due")
		}
	}
}
