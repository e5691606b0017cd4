package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// kept is what status tells about the file that keeps the caches.
type kept struct {
	File          string
	Saves         int
	Failures      int
	SavedEntries  int    `json:"saved_entries"`
	SavedBytes    int64  `json:"saved_bytes"`
	LastFail      string `json:"last_fail"`
	Loading       bool
	LoadedEntries int    `json:"loaded_entries"`
	LoadNote      string `json:"load_note"`
}

func (d *daemon) kept() kept {
	d.t.Helper()
	var st struct{ Snapshot *kept }
	if d.ctlJSON(&st, "status"); st.Snapshot == nil {
		d.t.Fatal("status tells nothing of the file that keeps the caches")
	}
	return *st.Snapshot
}

// restarted ends a daemon by a signal, and starts it again. It returns when that has taken over what it will.
func (d *daemon) restarted(sig syscall.Signal) *daemon {
	d.t.Helper()
	if code := d.stop(sig); code != 0 && sig == syscall.SIGTERM {
		d.t.Fatalf("exit code %d", code)
	}
	return d.back()
}

// back starts a daemon again that has ended.
func (d *daemon) back() *daemon {
	d.t.Helper()
	next := d.again()
	until(d.t, "the daemon to be back", func() bool {
		if next.ended() {
			d.t.Fatalf("it has ended:\n%s", next.log)
		}
		return strings.Contains(next.log.String(), "msg=serving")
	})
	until(d.t, "the caches to be taken over", func() bool { return !next.kept().Loading })
	return next
}

// ofKinds answers with addresses, aliases, NXDOMAIN and short TTLs, by the first label.
func ofKinds(w dns.ResponseWriter, q *dns.Msg) {
	r := right(q)
	name := q.Question[0].Name
	switch lower := strings.ToLower(name); {
	case strings.HasPrefix(lower, "nx"):
		r.Rcode, r.Answer, r.Ns = dns.RcodeNameError, nil, []dns.RR{record("example. 3600 IN SOA ns.example. h.example. 1 2 3 4 3600")}
	case strings.HasPrefix(lower, "alias"):
		r.Answer = []dns.RR{record("%s 3600 IN CNAME n1.example.", name), record("n1.example. 3600 IN A 192.0.2.1")}
	case strings.HasPrefix(lower, "short"):
		r.Answer[0].Header().Ttl = 1
	}
	w.WriteMsg(r)
}

// A daemon that was ended and started again answers from its cache as before, with TTLs that have gone on. What has expired,
// and what was flushed, is asked for again.
func TestWarmStart(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, ofKinds)
	d := start(t, "[cache]\nfile = \"cache\"\nstale = \"0s\"\n"+forward(".", up))
	names := []string{"alias.example.", "nx.example.", "short.example.", "flushed.example.", "below.flushed.example."}
	for i := range 40 {
		names = append(names, fmt.Sprintf("n%d.example.", i))
	}
	before := map[string]*dns.Msg{}
	for _, n := range names {
		before[n] = d.ask(n, dns.TypeA)
		d.ask(n, dns.TypeA)
	}
	d.ctl("cache", "flush", "flushed.example", "--subtree")
	d.ctl("cache", "flush", "flushed.example", "-subtree")
	until(t, "the short TTL to end", func() bool { _, code := d.ctl("cache", "lookup", "short.example.", "A"); return code != 0 })
	d = d.restarted(syscall.SIGTERM)
	file := filepath.Join(d.dir, "cache")
	if info, err := os.Lstat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if k := d.kept(); k.LoadedEntries < 40 || k.LoadNote != "" || k.File != file {
		t.Errorf("%+v", k)
	}
	asked := up.Count("")
	for _, n := range names {
		r, old := d.ask(n, dns.TypeA), before[n]
		again := 0
		if strings.Contains(n, "flushed") || strings.HasPrefix(n, "short") {
			again = 1
		}
		if now := up.Count(""); now-asked != again {
			t.Errorf("%s: the upstream was asked %d times more", n, now-asked)
		}
		asked = up.Count("")
		if r.Rcode != old.Rcode || len(r.Answer) != len(old.Answer) || len(r.Ns) != len(old.Ns) || r.Authoritative {
			t.Errorf("%s: %v\nbefore: %v", n, r, old)
		}
		if all := append(r.Answer, r.Ns...); again == 0 && (all[0].Header().Ttl >= 3600 || all[0].Header().Ttl < 3000) {
			t.Errorf("%s: TTL %d", n, all[0].Header().Ttl)
		}
	}
	unhurt(t, d)
}

// A file that is torn, foreign, no file, or somebody else's to write is a cold start and one line. The daemon serves, and
// writes a good one at its end, if it can.
func TestFileThatIsNoSnapshot(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, "[cache]\nfile = \"cache\"\n"+forward(".", up))
	file := filepath.Join(d.dir, "cache")
	for i := range 20 {
		stillRight(t, d, fmt.Sprintf("n%d.example.", i))
	}
	d.stop(syscall.SIGTERM)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) func() error {
		return func() error { return os.WriteFile(file, text, 0o600) }
	}
	flip := bytes.Clone(good)
	flip[200] ^= 1
	for _, c := range []struct {
		name string
		make func() error
		want string
		note string
	}{
		{"torn", write(good[:len(good)-1]), "the caches start empty", "torn"},
		{"torn early", write(good[:50]), "the caches start empty", "50 bytes"},
		{"changed", write(flip), "the caches start empty", "checksum"},
		{"foreign", write([]byte(strings.Repeat("; a zone\n", 100))), "the caches start empty", "begins with"},
		{"empty", write(nil), "the caches start empty", "0 bytes"},
		{"pipe", func() error { return syscall.Mkfifo(file, 0o600) }, "the caches start empty", "no regular file"},
		{"link", func() error { return os.Symlink("/etc/passwd", file) }, "the caches start empty", "symbolic link"},
		{"writable", func() error { write(good)(); return os.Chmod(file, 0o666) }, "the caches start empty", "others may write"},
		{"huge", func() error { write(good)(); return os.Truncate(file, 1<<40) }, "the caches start empty", "longer than"},
		{"good", write(good), "the caches are as they were", ""},
	} {
		os.Remove(file)
		if err := c.make(); err != nil {
			t.Fatal(err)
		}
		next := d.back()
		if k := next.kept(); !strings.Contains(k.LoadNote, c.note) || (k.LoadedEntries > 0) != (c.name == "good") {
			t.Errorf("%s: %+v", c.name, k)
		}
		if n := strings.Count(next.log.String(), c.want); n != 1 {
			t.Errorf("%s: %d lines %q in\n%s", c.name, n, c.want, next.log)
		}
		stillRight(t, next, "n1.example.")
		if code := next.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("%s: exit code %d", c.name, code)
		}
		if info, err := os.Lstat(file); err != nil || info.Mode() != 0o600 || info.Size() > 1<<20 {
			t.Errorf("%s: at the end it is %v, %v", c.name, info, err)
		}
	}
	if text, err := os.ReadFile("/etc/passwd"); err != nil || bytes.Contains(text, []byte("HEIMDALL")) {
		t.Error("the file that a link pointed to was written")
	}
}

// Other servers than before are other answers: what the ones before said does not come back.
func TestFileOfAnotherConfiguration(t *testing.T) {
	t.Parallel()
	up, other := newUpstream(t, nil), newUpstream(t, answerOther)
	d := start(t, "[cache]\nfile = \"cache\"\n"+forward(".", up))
	stillRight(t, d, "n1.example.")
	d.stop(syscall.SIGTERM)
	d.write("[cache]\nfile = \"cache\"\nmemory = \"64MiB\"\n" + forward(".", other))
	d = d.back()
	if k := d.kept(); k.LoadedEntries > 0 || !strings.Contains(k.LoadNote, "configuration") {
		t.Errorf("%+v", k)
	}
	if r := d.ask("n1.example.", dns.TypeA); len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.2" {
		t.Error(r)
	}
	// Other memory alone changes nothing about answers.
	d.write("[cache]\nfile = \"cache\"\nmemory = \"32MiB\"\n" + forward(".", other))
	d = d.restarted(syscall.SIGTERM)
	if k := d.kept(); k.LoadedEntries != 1 {
		t.Errorf("%+v", k)
	}
}

// With an interval the file is written while the daemon serves, so that one that is killed starts warm, too; but what was
// flushed before it was killed does not come back.
func TestKilledDaemonStartsWarm(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, "[cache]\nfile = \"cache\"\nsave_interval = \"1s\"\n"+forward(".", up))
	saved := func(entries int) {
		t.Helper()
		at := d.kept().Saves
		until(t, "the file to be written", func() bool { k := d.kept(); return k.Saves > at && k.SavedEntries >= entries })
	}
	for i := range 20 {
		stillRight(t, d, fmt.Sprintf("n%d.example.", i))
	}
	saved(20)
	d = d.restarted(syscall.SIGKILL)
	if k := d.kept(); k.LoadedEntries != 20 {
		t.Errorf("%+v", k)
	}
	for i := range 20 {
		stillRight(t, d, fmt.Sprintf("n%d.example.", i))
	}
	if n := up.Count(""); n != 20 {
		t.Errorf("the upstream was asked %d times for 20 names", n)
	}
	saved(20)
	d.write("[cache]\nfile = \"cache\"\nsave_interval = \"1d\"\n" + forward(".", up)) // a reload applies it
	d.ctl("reload")
	d.ctl("cache", "flush", "n1.example")
	if _, err := os.Lstat(filepath.Join(d.dir, "cache")); err == nil {
		t.Error("the file has what was flushed")
	}
	d = d.restarted(syscall.SIGKILL)
	if k := d.kept(); k.LoadedEntries != 0 || k.LoadNote != "" {
		t.Errorf("%+v", k)
	}
}

// Whatever number of shards there was, and whatever number there is: each has its answers, whoever is asked.
func TestRootWarmStartWithOtherShards(t *testing.T) {
	t.Parallel()
	for _, steer := range []string{"flow", "name"} {
		t.Run(steer, func(t *testing.T) {
			t.Parallel()
			up := newUpstream(t, nil)
			config := func(shards int) string {
				return fmt.Sprintf("[cpu]\nshards = %d\npin = false\n[cache]\nfile = \"cache\"\n[xdp]\nsteer = %q\n%s", shards, steer, forward(".", up))
			}
			d := start(t, config(1))
			const names = 200
			for i := range names {
				stillRight(t, d, fmt.Sprintf("n%d.example.", i))
			}
			for _, shards := range []int{3, 2, 1} {
				d.write(config(shards))
				d = d.restarted(syscall.SIGTERM)
				for i := range names {
					if name := fmt.Sprintf("n%d.example.", i); steer == "flow" {
						stillRight(t, d, name)
					} else if r := d.ask(name, dns.TypeA); len(r.Answer) != 1 { // a stream has no owner
						t.Fatal(r)
					}
				}
				if n := up.Count(""); n != names {
					t.Fatalf("%d shards: the upstream was asked %d times for %d names", shards, n, names)
				}
			}
		})
	}
}

// A change of the number of shards keeps the answers, whoever is asked afterwards, and within the memory that there is. What is
// flushed meanwhile does not come back.
func TestRootResizeKeepsTheCaches(t *testing.T) {
	t.Parallel()
	for _, steer := range []string{"flow", "name"} {
		t.Run(steer, func(t *testing.T) {
			t.Parallel()
			up := newUpstream(t, nil)
			rest := fmt.Sprintf("pin = false\n[cache]\nmemory = \"4MiB\"\n[xdp]\nsteer = %q\n%s", steer, forward(".", up))
			d := start(t, "[cpu]\nshards = 1\n"+rest)
			const names = 300
			for i := range names {
				d.ask(fmt.Sprintf("n%d.example.", i), dns.TypeA)
			}
			gone := 0
			for i, shards := range []int{3, 2, 1, 2} {
				d.resized(fmt.Sprint(shards), rest)
				flushed := fmt.Sprintf("n%d.example.", i)
				d.ctl("cache", "flush", flushed)
				gone++
				until(t, "the caches to move", func() bool {
					return strings.Count(d.log.String(), "the caches have moved to other shards") == i+1
				})
				if out, code := d.ctl("cache", "lookup", flushed, "A"); code == 0 {
					t.Errorf("%d shards: what was flushed is back: %s", shards, out)
				}
				for i := gone; i < names; i++ {
					if r := d.ask(fmt.Sprintf("n%d.example.", i), dns.TypeA); len(r.Answer) != 1 || r.Answer[0].Header().Ttl > 3600 {
						t.Fatal(r)
					}
				}
				if n := up.Count(""); n != names {
					t.Fatalf("%d shards: the upstream was asked %d times for %d names", shards, n, names)
				}
			}
			unhurt(t, d)
		})
	}
}
