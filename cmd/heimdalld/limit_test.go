package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// spray sends n queries for a cached name from an address of this machine, and returns how many were answered in
// full, and how many with TC.
func spray(t *testing.T, d *daemon, from string, n int) (full, truncated int) {
	t.Helper()
	c := dialFrom(t, "udp", from, d.addr)
	defer c.Close()
	got := map[uint16]bool{}
	read := func(last uint16, patience time.Duration) {
		for !got[last] {
			c.SetReadDeadline(time.Now().Add(patience))
			r, err := c.ReadMsg()
			if err != nil {
				return
			}
			if got[r.Id] {
				t.Errorf("answered twice")
			}
			got[r.Id] = true
			if r.Truncated {
				truncated++
			} else if len(r.Answer) == 1 {
				full++
			}
		}
	}
	for i := range n {
		q := question("hot.example.", dns.TypeA)
		q.Id = uint16(i)
		if err := c.WriteMsg(q); err != nil {
			t.Fatal(err)
		}
		// Each is waited for, but not long: what is limited is not answered.
		read(q.Id, 2*time.Millisecond)
	}
	read(uint16(n-1), 300*time.Millisecond)
	return full, truncated
}

// One query a second after a burst of 20: the clock does not matter to these tests.
const slowLimit = "[limit]\nqueries_per_second = 1\nburst = 20\nipv4_prefix = 32\n"

func limitedDaemon(t *testing.T, limit string) (*daemon, func(limit string)) {
	t.Helper()
	up := newUpstream(t, answerA)
	d := start(t, limit+forward(".", up))
	return d, func(limit string) {
		t.Helper()
		d.write(limit + forward(".", up))
		if out, code := d.ctl("reload"); code != 0 {
			t.Fatalf("reload: %s", out)
		}
	}
}

// dropped returns how many messages were dropped, by reason.
func dropped(d *daemon) map[string]uint64 {
	var s struct {
		Totals struct{ Drops map[string]uint64 }
	}
	d.ctlJSON(&s, "status")
	return s.Totals.Drops
}

func TestLimit(t *testing.T) {
	t.Parallel()
	d, reload := limitedDaemon(t, slowLimit+"slip = 0\n")
	full, truncated := spray(t, d, "127.0.0.2", 200)
	// A second is worth one query.
	if full < 20 || full > 40 || truncated > 0 {
		t.Errorf("%d of 200 answered, %d with TC; want 20 and 0", full, truncated)
	}
	if n := dropped(d)["limited"]; n < 160 || n > 180 {
		t.Errorf("%d dropped as limited, want 180", n)
	}
	// Another client is not hurt, nor is the same one over TCP.
	for i := range 15 {
		if full, _ := spray(t, d, fmt.Sprintf("127.0.1.%d", 1+i%2), 1); full != 1 {
			until(t, "the answer to another client", func() bool { f, _ := spray(t, d, "127.0.1.3", 1); return f == 1 })
		}
	}
	tcp := dialFrom(t, "tcp", "127.0.0.2", d.addr)
	for range 50 {
		if err := tcp.WriteMsg(question("hot.example.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if r, err := tcp.ReadMsg(); err != nil || len(r.Answer) != 1 {
			t.Fatalf("over TCP: %v, %v", r, err)
		}
	}
	if out, _ := d.ctl("status"); !strings.Contains(out, "limited 1") {
		t.Errorf("heimdallctl status:\n%s", out)
	}
	var x struct {
		Limit struct {
			QueriesPerSecond int  `json:"queries_per_second"`
			InKernel         bool `json:"in_kernel"`
		}
	}
	if d.ctlJSON(&x, "xdp"); x.Limit.QueriesPerSecond != 1 || x.Limit.InKernel {
		t.Errorf("heimdallctl xdp: %+v", x)
	}

	// A reload changes the rate, slip, and who is exempt, and forgives nobody.
	reload(slowLimit + "slip = 1\n")
	if full, truncated = spray(t, d, "127.0.0.2", 60); full > 20 || truncated < 30 {
		t.Errorf("slip 1: %d of 60 answered, %d with TC", full, truncated)
	}
	want := fmt.Sprintf("queries above the rate that got TC\n  shard 0: %d\n", truncated)
	if out, _ := d.ctl("shards"); !strings.Contains(out, want) {
		t.Errorf("heimdallctl shards lacks %q:\n%s", want, out)
	}
	if out, _ := d.ctl("status"); !strings.Contains(out, fmt.Sprintf("%d queries above the rate got TC", truncated)) {
		t.Errorf("heimdallctl status:\n%s", out)
	}
	reload(slowLimit + "exempt = [\"127.0.0.2/32\"]\n")
	if full, _ := spray(t, d, "127.0.0.2", 60); full < 50 {
		t.Errorf("exempt: %d of 60 answered", full)
	}
	reload("")
	if full, _ := spray(t, d, "127.0.0.2", 60); full < 50 {
		t.Errorf("without a limit: %d of 60 answered", full)
	}
	unhurt(t, d)
}

func TestDeny(t *testing.T) {
	t.Parallel()
	d, reload := limitedDaemon(t, "[limit]\ndeny = [\"127.0.0.2/31\"]\nexempt = [\"127.0.0.0/8\"]\n")
	for _, from := range []string{"127.0.0.2", "127.0.0.3"} {
		if full, truncated := spray(t, d, from, 10); full+truncated > 0 {
			t.Errorf("%d of 10 queries from %s were answered", full+truncated, from)
		}
	}
	tcp := dialFrom(t, "tcp", "127.0.0.2", d.addr)
	tcp.WriteMsg(question("hot.example.", dns.TypeA))
	until(t, "the denied queries to be counted", func() bool { return dropped(d)["denied"] == 21 })
	if full, _ := spray(t, d, "127.0.0.4", 1); full != 1 {
		until(t, "the answer to another client", func() bool { f, _ := spray(t, d, "127.0.0.4", 1); return f == 1 })
	}
	if out, _ := d.ctl("shards"); !strings.Contains(out, "denied 21") {
		t.Errorf("heimdallctl shards:\n%s", out)
	}
	reload("")
	until(t, "an answer after the reload", func() bool { f, _ := spray(t, d, "127.0.0.2", 1); return f == 1 })
}
