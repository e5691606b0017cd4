package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"heimdall/affinity/cpulist"

	"github.com/miekg/dns"
)

// slowly answers after a random while, so that there are always queries in flight.
func slowly(w dns.ResponseWriter, q *dns.Msg) {
	time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
	answerA(w, q)
}

// resized changes the number of shards with a reload and checks what it tells.
func (d *daemon) resized(shards, rest string) {
	d.t.Helper()
	d.write("[cpu]\nshards = " + shards + "\n" + rest)
	var r struct {
		reloaded
		Warnings []string
	}
	d.ctlJSON(&r, "reload")
	if slices.Contains(r.NeedsRestart, "cpu.shards") && os.Geteuid() != 0 {
		d.t.Skip(r.Warnings)
	}
	if !slices.Contains(r.Applied, "cpu.shards") || len(r.NeedsRestart)+len(r.Warnings) != 0 {
		d.t.Fatalf("shards = %s: %+v", shards, r)
	}
}

// Under load, over UDP and TCP, with each way of steering, the number of shards changes again and again: no query is
// lost, none is answered twice, no connection is cut, the caches stay within their memory, and totals do not fall.
func TestRootResizeUnderLoad(t *testing.T) {
	t.Parallel()
	for _, steer := range []string{"flow", "cpu", "name"} {
		t.Run(steer, func(t *testing.T) {
			t.Parallel()
			up := newUpstream(t, slowly)
			rest := fmt.Sprintf("pin = false\n[tcp]\nidle_timeout = \"60s\"\n[cache]\nmemory = \"4MiB\"\n[xdp]\nsteer = %q\n%s", steer, forward(".", up))
			d := start(t, "[cpu]\nshards = 1\n"+rest)
			l := startLoad(t, d.addr)
			before := 0
			for i, shards := range []int{2, 1, 2, 3, 1, 3, 2, 1} {
				l.more(300)
				d.resized(fmt.Sprint(shards), rest)
				l.more(300)
				var s shardList
				d.ctlJSON(&s, "shards")
				memory := 0
				for id, sh := range s.Shards {
					if sh.ID != id || sh.State != "running" {
						t.Errorf("change %d: %+v", i, sh)
					}
					memory += sh.MemoryLimit
				}
				if len(s.Shards) != shards || memory > 4<<20 || memory < 4<<20*7/10 {
					t.Errorf("change %d: %d shards with %d bytes: %+v", i, len(s.Shards), memory, s)
				}
				var st struct {
					Shards int
					Totals struct{ Queries, Replies int }
				}
				answered := l.answered.Load()
				d.ctlJSON(&st, "status")
				if st.Shards != shards || st.Totals.Queries < before || int64(st.Totals.Queries) < answered {
					t.Errorf("change %d: %+v after %d queries, %d answers", i, st, before, answered)
				}
				before = st.Totals.Queries
			}
			l.end()
			unhurt(t, d)
		})
	}
}

// Changes that are ordered while one is under way come after it.
func TestRootResizeWhileDraining(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "slow") { // the resolver mixes the letter case
			<-release
		}
		answerA(w, q)
	})
	rest := "pin = false\n[resolver]\ntimeout = \"20s\"\n" + forward(".", up)
	d := start(t, "[cpu]\nshards = 3\n"+rest)
	const slow = 30
	var conns []*dns.Conn
	for i := range slow {
		c, err := dns.Dial([]string{"udp", "tcp"}[i%2], d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		if err := c.WriteMsg(question(fmt.Sprintf("slow%d.example.", i), dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	until(t, "the upstream to be asked", func() bool { return up.Count("") >= slow })
	d.write("[cpu]\nshards = 1\n" + rest)
	d.cmd.Process.Signal(syscall.SIGHUP)
	until(t, "shards to drain", func() bool {
		var s shardList
		d.ctlJSON(&s, "shards")
		return len(s.Shards) == 3 && s.Shards[1].State == "draining" && s.Shards[2].State == "draining"
	})
	for i := range 3 { // others are served
		stillRight(t, d, fmt.Sprintf("n%d.example.", i))
	}
	d.write("[cpu]\nshards = 2\n" + rest)
	d.cmd.Process.Signal(syscall.SIGHUP)
	time.Sleep(20 * time.Millisecond)
	close(release)
	for i, c := range conns {
		if r, err := c.ReadMsg(); err != nil || len(r.Answer) != 1 {
			t.Errorf("slow query %d: %v, %v", i, r, err)
		}
	}
	until(t, "both reloads", func() bool { return reloads(d) == 2 })
	var s shardList
	if d.ctlJSON(&s, "shards"); len(s.Shards) != 2 {
		t.Errorf("%+v", s)
	}
	for _, c := range conns {
		if err := c.WriteMsg(question("later.example.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if r, err := c.ReadMsg(); err != nil || len(r.Answer) != 1 {
			t.Errorf("afterwards: %v, %v", r, err)
		}
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Pinned shards follow the list of CPUs, and the other threads stay off them.
func TestRootResizeMovesShards(t *testing.T) {
	t.Parallel()
	if runtime.NumCPU() < 2 {
		t.Skip("one CPU: there is nowhere to move to") // not ErrNotSupported, but nothing to prove
	}
	up := newUpstream(t, nil)
	rest := forward(".", up)
	d := start(t, "[cpu]\nshards = \"0-0\"\n"+rest)
	stillRight(t, d, "before.example.")
	for _, c := range []struct {
		list string
		cpus []int
	}{{"1-1", []int{1}}, {"0-1", []int{0, 1}}, {"1-1", []int{1}}, {"0-0", []int{0}}} {
		d.resized(fmt.Sprintf("%q", c.list), rest)
		var s shardList
		d.ctlJSON(&s, "shards")
		var got []int
		for _, sh := range s.Shards {
			got = append(got, sh.CPU)
		}
		if !slices.Equal(got, c.cpus) {
			t.Errorf("shards = %q: on CPUs %v", c.list, got)
		}
		pinned, other := threadsOf(t, d.cmd.Process.Pid)
		for _, cpu := range c.cpus {
			if pinned[cpu] == 0 {
				t.Errorf("shards = %q: no thread is bound to CPU %d: %v", c.list, cpu, pinned)
			}
		}
		if len(c.cpus) == 1 && other[c.cpus[0]] > 1 {
			t.Errorf("shards = %q: %d threads may run on CPU %d, which is a shard's", c.list, other[c.cpus[0]], c.cpus[0])
		}
		stillRight(t, d, "during.example.")
	}
}

// threadsOf counts the threads of a process by the one CPU that they are bound to, and by each that they may run on.
func threadsOf(t *testing.T, pid int) (bound, may map[int]int) {
	t.Helper()
	bound, may = map[int]int{}, map[int]int{}
	for list, n := range masks(t, pid) {
		cpus, _ := cpulist.Parse(list)
		for _, cpu := range cpus {
			may[cpu] += n
		}
		if len(cpus) == 1 {
			bound[cpus[0]] += n
		}
	}
	return bound, may
}

// A number that cannot be leaves all as it was, and is named with its line.
func TestRootResizeBadNumber(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	rest := "pin = false\n[cache]\nmemory = \"1MiB\"\n" + forward(".", up)
	d := start(t, "[cpu]\nshards = 2\n"+rest)
	stillRight(t, d, "cached.example.")
	asked := up.Count("cached.example.")
	for _, bad := range []string{"0", "1025", "5", `"9-"`, `"many"`} { // 5 shards need more memory for the cache
		d.write("[cpu]\nshards = " + bad + "\n" + rest)
		out, code := d.ctl("reload")
		if code != 1 || !strings.Contains(out, "config.toml:") || !strings.Contains(out, "nothing was changed") {
			t.Errorf("shards = %s: exit code %d: %s", bad, code, out)
		}
	}
	var s shardList
	if d.ctlJSON(&s, "shards"); len(s.Shards) != 2 {
		t.Errorf("%+v", s)
	}
	stillRight(t, d, "cached.example.")
	if n := up.Count("cached.example."); n > max(asked, 2) {
		t.Errorf("the caches were emptied: asked %d times, then %d", asked, n)
	}
}

// Where eBPF is not permitted, the change waits for a restart, with the reason, and nothing else of the reload does.
func TestRootResizeWithoutBPF(t *testing.T) {
	t.Parallel()
	setpriv, err := exec.LookPath("setpriv")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("privileges cannot be dropped here")
	}
	up := newUpstream(t, nil)
	rest := forward(".", up)
	for _, steer := range []string{"flow", "cpu"} {
		for range 5 {
			if d := tryStart(t, freePort(t), "[cpu]\nshards = 2\npin = false\n[xdp]\nsteer = \""+steer+"\"\n"+rest, setpriv, "--bounding-set=-bpf,-sys_admin,-net_admin"); d != nil {
				withoutBPF(t, d, steer, rest)
				break
			}
		}
	}
}

func withoutBPF(t *testing.T, d *daemon, steer, rest string) {
	t.Helper()
	d.write("[cpu]\nshards = 1\npin = false\n[cache]\nprefetch = 20\n[xdp]\nsteer = \"" + steer + "\"\n" + rest)
	for i := range 2 {
		var r struct {
			reloaded
			Warnings []string
		}
		d.ctlJSON(&r, "reload")
		if !slices.Equal(r.NeedsRestart, []string{"cpu.shards"}) || len(r.Warnings) != 1 || strings.Contains(r.Warnings[0], "\n") || !strings.Contains(r.Warnings[0], "number of shards is not changed") {
			t.Errorf("%s: %+v", steer, r)
		}
		if want := [2]string{"[cache.prefetch]", "[]"}[i]; fmt.Sprint(r.Applied) != want {
			t.Errorf("%s: applied: %v, want %s", steer, r.Applied, want)
		}
	}
	var s shardList
	if d.ctlJSON(&s, "shards"); len(s.Shards) != 2 {
		t.Errorf("%s: %+v", steer, s)
	}
	for i := range 20 {
		stillRight(t, d, fmt.Sprintf("n%d.example.", i))
	}
}
