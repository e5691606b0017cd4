package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// processMemory is what the process may have resident beside cache.memory, in bytes, with one shard: code, the
// Go heap with the tables of queries in flight, stacks. Measured on linux/amd64 over 190,000 names in 4 MiB:
// 17 MiB before the first query and 16 MiB above the cache's 4 at the end with the segment engine; with
// ristretto, whose entries are on the Go heap, 47 MiB above, level after 110,000 names.
var processMemory = map[string]int{"segment": 24 << 20, "ristretto": 64 << 20}

// A cache that is full stays full: under churn its entries and the memory of the process level off, and what
// it answers is right.
func TestMemoryUnderChurn(t *testing.T) {
	t.Parallel()
	for engine := range processMemory {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			up := newUpstream(t, nil)
			const memory = 4 << 20
			d := start(t, fmt.Sprintf("[cache]\nmemory = \"4MiB\"\nengine = %q\n%s", engine, forward(".", up)))
			begin := rss(t, d)
			var entries, sizes []int
			for round := range 4 {
				churn(t, d, round, 12_000)
				var s struct {
					Total struct {
						Entries   int
						BytesUsed int `json:"bytes_used"`
						Evictions map[string]int
					}
				}
				d.ctlJSON(&s, "cache", "stats")
				if s.Total.BytesUsed > memory {
					t.Errorf("round %d: %d bytes used of %d", round, s.Total.BytesUsed, memory)
				}
				entries, sizes = append(entries, s.Total.Entries), append(sizes, rss(t, d))
			}
			t.Logf("%s: entries %v; resident %d KiB at the start, then %v", engine, entries, begin>>10, sizes)
			if last := entries[3]; last < 1000 || last > 48_000*9/10 || last > entries[1]*3/2 || last < entries[1]/2 {
				t.Errorf("entries do not level off: %v", entries)
			}
			if most := memory + processMemory[engine]; sizes[3] > most {
				t.Errorf("%d bytes are resident, more than %d", sizes[3], most)
			}
			for range 3 {
				stillRight(t, d, "hit.example.")
			}
			if n := up.Count("hit.example."); n != 1 {
				t.Errorf("a name just stored was asked for %d times", n)
			}
		})
	}
}

// While validating, keys and denials of zones without end stay within their part of the memory too: thousands of signed
// zones, of each the keys, an answer and a denial.
func TestMemoryWhileValidating(t *testing.T) {
	t.Parallel()
	const (
		memory   = 4 << 20
		inFlight = 128
		waiting  = 512
		most     = memory + (20<<20+inFlight*5/4*(6<<10)+waiting*512+8<<20+512<<10)*5/4 // README, "Memory"
	)
	w := newScriptedWorld(t)
	d := start(t, fmt.Sprintf("[cache]\nmemory = \"4MiB\"\n[resolver]\nin_flight = %d\nwaiting = %d\nper_client = 100\n"+
		"[recursion]\nroot_hints = \"\"\ntrust_anchors = %q\nquery_loopback = true\n[[stub]]\nzone = \".\"\nservers = [%q]\n",
		inFlight, waiting, writeFile(t, "anchors", w.public.String()+"\n"), w.addr))
	begin := rss(t, d)
	var sizes []int
	for round := range 4 {
		var all sync.WaitGroup
		for worker := range 16 {
			all.Go(func() {
				c := dns.Client{Timeout: patience}
				for i := worker; i < 750; i += 16 {
					n := round*750 + i
					for _, ask := range []struct {
						name  string
						rcode int
					}{{fmt.Sprintf("a%d.z%d.signed.", n, n), dns.RcodeSuccess}, {fmt.Sprintf("n%d.z%d.signed.", n, n), dns.RcodeNameError}} {
						q := question(ask.name, dns.TypeA)
						q.AuthenticatedData = true
						if r, _, err := c.Exchange(q, d.addr); err != nil || r.Rcode != ask.rcode || !r.AuthenticatedData {
							t.Errorf("%s: %v, %v", ask.name, r, err)
							return
						}
					}
				}
			})
		}
		all.Wait()
		sizes = append(sizes, rss(t, d))
	}
	t.Logf("resident %d KiB at the start, then %v; at most %d", begin>>10, sizes, most)
	if last := sizes[len(sizes)-1]; last > most {
		t.Errorf("%d bytes are resident, more than %d", last, most)
	}
}

// churn asks for n names that nobody has asked for, a few at a time, and checks the answers.
func churn(t *testing.T, d *daemon, round, n int) {
	t.Helper()
	c, err := net.Dial("udp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const window = 32
	buf := make([]byte, 4096)
	for at := 0; at < n; at += window {
		open := map[uint16][]byte{}
		for i := range window {
			q := question(fmt.Sprintf("name%d.round%d.example.", at+i, round), dns.TypeA)
			q.Id = uint16(at + i)
			raw, _ := q.Pack()
			open[q.Id] = raw
			c.Write(raw)
		}
		for tries := 0; len(open) > 0; {
			c.SetReadDeadline(time.Now().Add(patience / 10))
			k, err := c.Read(buf)
			if err != nil { // lost on its way: ask again
				if tries++; tries == 10 {
					t.Fatalf("%d names are not answered: %v", len(open), err)
				}
				for _, raw := range open {
					c.Write(raw)
				}
				continue
			}
			r := new(dns.Msg)
			if err := r.Unpack(buf[:k]); err != nil || len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
				t.Fatalf("%v, %v", r, err)
			}
			delete(open, r.Id)
		}
	}
}

// rss returns the resident set of the daemon in bytes.
func rss(t *testing.T, d *daemon) int {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("the kernel does not tell")
	return 0
}
