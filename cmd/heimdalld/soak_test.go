//go:build soak

package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

var (
	soakFor    = flag.Duration("soak", 90*time.Second, "how long TestSoak runs")
	soakDaemon = flag.String("soak-daemon", "", "`binary` to run in place of the one built here")
)

// What the README says that the process takes, in bytes, of what the soak's configuration uses.
const (
	soakCache    = 16 << 20
	soakInFlight = 4096
	soakWaiting  = 4096

	documentedProcess    = 20 << 20
	documentedInFlight   = 6 << 10 // each of a quarter more than may be in flight, while it is resolved from the root and validated
	documentedWaiting    = 512     // each
	documentedSignatures = 8 << 20 // while validating
	documentedTrust      = 8       // while validating, an eighth of the cache
	documentedClients    = 16 << 20
	documentedServers    = 16 << 20
	documentedZones      = 3  // times the size of a zone, while it is loaded anew
	documentedGarbage    = 25 // percent of all but the cache

	soakRecords   = 50_000 // of a zone
	soakZoneBytes = 40 * soakRecords
)

// steadyPhase is the phase in which the process must not grow: by no more than mostGrowth, in bytes, which is what the
// collector of garbage makes of it: on a busy machine there may be few collections in the quarters that are compared.
const (
	steadyPhase = "misses that take long"
	mostGrowth  = 4 << 20
)

// The process stays within the memory that the README says, whatever is done to it, on its first day and on its hundredth:
// in the second half of the time all is asked once more, along with what is new.
func TestSoak(t *testing.T) {
	w := newScriptedWorld(t)
	dir := t.TempDir()
	zone := filepath.Join(dir, "zone")
	soakZone(t, zone, 0)
	anchors := filepath.Join(dir, "anchors")
	if err := os.WriteFile(anchors, []byte(w.public.String()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if *soakDaemon != "" {
		binary, err := os.ReadFile(*soakDaemon)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(shipped(t, "heimdalld"), binary, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d := start(t, fmt.Sprintf(`
[cache]
memory = "%dMiB"
[recursion]
root_hints = ""
trust_anchors = %q
query_loopback = true
[resolver]
in_flight = %d
waiting = %d
per_client = 100
[[stub]]
zone = "."
servers = [%q]
[[zone]]
name = "zone.test."
file = %q
`, soakCache>>20, anchors, soakInFlight, soakWaiting, w.addr, zone))
	for name, want := range map[string]string{"a1.z1.signed.": "192.0.2.2", "x.plain.": "192.0.2.1"} {
		r := d.ask(name, dns.TypeA)
		if len(r.Answer) != 1 || !strings.HasSuffix(r.Answer[0].String(), want) {
			t.Fatalf("%s: %v", name, r)
		}
	}
	s := &soak{t: t, d: d, zone: zone}
	t.Logf("at the start: %.1f MiB", mib(s.memory()))
	phases := []struct {
		name  string
		share int // of 100
		run   func(s *soak, worker int, end time.Time)
		more  int // bytes that are documented for what it does
	}{
		{"misses", 15, (*soak).misses, documentedProcess + soakInFlight*5/4*documentedInFlight + soakWaiting*documentedWaiting + documentedSignatures + soakCache/documentedTrust + soakZoneBytes},
		{steadyPhase, 30, (*soak).steady, 0},
		{"random subdomains, some never answered", 10, (*soak).floods, 0},
		{"validation", 17, (*soak).validation, 0},
		{"clients over TCP and UDP", 15, (*soak).clients, documentedClients + documentedServers},
		{"reloads of zones", 8, (*soak).reloads, (documentedZones - 1) * soakZoneBytes},
		{"all at once", 5, (*soak).all, 0},
	}
	rest := 0 // what is documented besides the cache, so far: memory does not go back at once
	for round, name := range [2]string{"cold", "warm"} {
		s.warm = round == 1
		for _, p := range phases {
			if !s.warm {
				rest += p.more
			}
			bound := soakCache + rest + rest*documentedGarbage/100
			asked := s.asked.Load()
			began := time.Now()
			end := began.Add(*soakFor * time.Duration(p.share) / 200)
			var all sync.WaitGroup
			for worker := range 3 {
				all.Go(func() { p.run(s, worker, end) })
			}
			samples := []int{s.memory()}
			for time.Now().Before(end) {
				samples = append(samples, s.memory())
				time.Sleep(200 * time.Millisecond)
			}
			all.Wait()
			most := slices.Max(samples)
			t.Logf("%s, %s: %d queries/s, %.1f MiB at most, %.1f allowed", name, p.name, int(float64(s.asked.Load()-asked)/time.Since(began).Seconds()), mib(most), mib(bound))
			if most > bound {
				t.Errorf("%s, %s: the process has taken %.1f MiB, documented are %.1f", name, p.name, mib(most), mib(bound))
			}
			if n := len(samples); p.name == steadyPhase && n >= 8 { // What a steady load takes has long levelled off.
				grown := slices.Max(samples[n*3/4:]) - slices.Max(samples[n/4:n/2])
				t.Logf("%s, %s: grown by %.1f MiB between the second and the last quarter", name, p.name, mib(grown))
				if grown > mostGrowth {
					t.Errorf("%s, %s: it may be %.1f", name, p.name, mib(mostGrowth))
				}
			}
			select {
			case <-d.exited:
				t.Fatal("the daemon has ended")
			default:
			}
		}
	}
	until(t, "an answer", func() bool { return len(d.ask(fmt.Sprintf("last%d.plain.", rand.Int()), dns.TypeA).Answer) == 1 })
}

func mib(n int) float64 { return float64(n) / (1 << 20) }

// soak is what the workers of one TestSoak share.
type soak struct {
	t     *testing.T
	d     *daemon
	zone  string
	warm  bool // names of the first round are asked once more
	asked atomic.Int64
	fresh atomic.Int64 // names asked for so far
}

// memory returns what the daemon takes: its proportional set size, in bytes.
func (s *soak) memory() int {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", s.d.cmd.Process.Pid))
	if err != nil {
		s.t.Error(err)
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "Pss:"); ok {
			kb, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return kb << 10
		}
	}
	s.t.Error("the kernel does not tell")
	return 0
}

// number returns that of a name: a new one, or in the second round mostly one of before.
func (s *soak) number() int64 {
	n := s.fresh.Add(1)
	if s.warm && n%4 != 0 {
		return rand.Int64N(n)
	}
	return n
}

// flood asks names over UDP as fast as they are answered, with some always under way.
func (s *soak) flood(end time.Time, window int, name func() string) {
	c, err := net.Dial("udp", s.d.addr)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer c.Close()
	c.(*net.UDPConn).SetReadBuffer(1 << 20)
	buf, raw := make([]byte, 4096), make([]byte, 0, 512)
	for under := 0; time.Now().Before(end); {
		for ; under < window; under++ {
			raw = binary.BigEndian.AppendUint16(raw[:0], uint16(rand.Uint32()))
			raw = append(raw, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1)
			for label := range strings.SplitSeq(name(), ".") {
				raw = append(append(raw, byte(len(label))), label...)
			}
			raw = append(raw, 0, 0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0)
			c.Write(raw)
			s.asked.Add(1)
		}
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		if _, err := c.Read(buf); err != nil {
			under = 0 // all that was under way is lost
			continue
		}
		under--
	}
}

func (s *soak) misses(_ int, end time.Time) {
	s.flood(end, 128, func() string { return fmt.Sprintf("m%d.plain", s.number()) })
}

func (s *soak) steady(_ int, end time.Time) {
	s.flood(end, 1280, func() string { return fmt.Sprintf("s%d.slow", s.fresh.Add(1)) })
}

func (s *soak) floods(worker int, end time.Time) {
	s.flood(end, 512, func() string {
		if worker == 0 {
			return fmt.Sprintf("f%d.silent", s.number())
		}
		return fmt.Sprintf("r%x.%x.zone%d.plain", rand.Uint64(), rand.Uint64(), rand.IntN(100))
	})
}

func (s *soak) validation(worker int, end time.Time) {
	s.flood(end, 64, func() string {
		switch n := s.number(); worker {
		case 0:
			return fmt.Sprintf("n%d.z%d.signed", n, n%150)
		default:
			return fmt.Sprintf("a%d.z%d.signed", n, n)
		}
	})
}

// clients are those that ask over UDP from ever new ports, those that ask large answers over TCP and do not read them, and
// those that send a part of a query.
func (s *soak) clients(worker int, end time.Time) {
	switch worker {
	case 0:
		for time.Now().Before(end) {
			s.flood(time.Now().Add(time.Millisecond), 4, func() string { return fmt.Sprintf("m%d.plain", s.number()) })
		}
	default:
		var open []net.Conn
		defer func() {
			for _, c := range open {
				c.Close()
			}
		}()
		for at := 0; time.Now().Before(end); at++ {
			from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(worker), byte(at/64%200+1))}
			c, err := (&net.Dialer{LocalAddr: from, Timeout: time.Second}).Dial("tcp", s.d.addr)
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			raw, err := question(fmt.Sprintf("l%d.large.", at%8), dns.TypeTXT).Pack()
			if err != nil {
				s.t.Error(err)
			}
			framed := append([]byte{0, byte(len(raw))}, raw...)
			if worker == 1 {
				for range 16 {
					c.Write(framed)
				}
			} else {
				c.Write(append([]byte{0xff, 0xff}, make([]byte, 8000)...))
			}
			s.asked.Add(1)
			if open = append(open, c); len(open) > 600 {
				open[0].Close()
				open = open[1:]
			}
		}
	}
}

func (s *soak) reloads(worker int, end time.Time) {
	if worker > 0 {
		s.flood(end, 64, func() string { return fmt.Sprintf("host%d.zone.test", rand.IntN(soakRecords)) })
		return
	}
	for version := 1; time.Now().Before(end); version++ {
		soakZone(s.t, s.zone, version)
		s.d.ctl("zone", "reload", "zone.test.")
	}
}

func (s *soak) all(worker int, end time.Time) {
	var all sync.WaitGroup
	for _, run := range []func(*soak, int, time.Time){(*soak).misses, (*soak).floods, (*soak).validation, (*soak).clients, (*soak).reloads} {
		all.Go(func() { run(s, worker, end) })
	}
	all.Wait()
}

// soakZone writes a version of the zone that is served.
func soakZone(t *testing.T, file string, version int) {
	var b strings.Builder
	fmt.Fprintf(&b, "$ORIGIN zone.test.\n$TTL 3600\n@ SOA ns host %d 3600 600 86400 300\n@ NS ns\nns A 192.0.2.53\n", version+1)
	for i := range soakRecords {
		fmt.Fprintf(&b, "host%d A 10.%d.%d.%d\n", i, version%200, i/256, i%256)
	}
	if err := os.WriteFile(file+".new", []byte(b.String()), 0o644); err != nil {
		t.Error(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Error(err)
	}
}
