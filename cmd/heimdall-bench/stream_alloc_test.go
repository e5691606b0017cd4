package main

import (
	"net"
	"testing"

	"github.com/miekg/dns"
)

// TestStreamAllocs: sending and checking must not wake the collector, whose
// pauses would pass for the server's.
func TestStreamAllocs(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	g := newTestGenerator(t, append(quick, "-edns", "-scenario", "flood", "-server", silent.LocalAddr().String())...)
	g.table = newZipfTable(g.names.count(), 1)
	for _, f := range []flow{{rate: 1}, {attack: randomSubdomains}} {
		threads, err := g.threads(g.opt.targets[0].addr, 1, 1e9, f)
		if err != nil {
			t.Fatal(err)
		}
		defer threads[0].close()
		s := threads[0].streams[0]
		reply := make([]byte, 0, maxPacket)
		if n := testing.AllocsPerRun(200, func() {
			now := g.clock()
			s.send(now, 1)
			l := s.lines[0]
			w := &l.wait[l.next-1]
			if w.at != 0 {
				reply = s.load.packet(reply[:0], l.next-1, w.key)
				reply[2] |= 0x80
				reply[3] = dns.RcodeNameError
				s.reply(l, reply, now+1000)
			}
			s.expire(now)
		}); n != 0 {
			t.Errorf("%+v: %v allocations, want none", f, n)
		}
	}
}
