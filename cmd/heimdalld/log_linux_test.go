package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"heimdall/core/control"
	"heimdall/ebpf"

	"github.com/miekg/dns"
)

// A reload changes how lines are written, and which; the deed that a command is names who gave it.
func TestLogFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	const zones = "[recursion]\nenabled = false\n"
	d := start(t, zones+"[log]\nformat = \"json\"\nlevel = \"warn\"\n")
	if out, code := d.ctl("cache", "flush", "quiet.example"); code != 0 {
		t.Fatal(out)
	}
	d.write(zones + "[log]\nformat = \"json\"\n")
	if out, code := d.ctl("reload"); code != 0 || !strings.Contains(out, "log.level") {
		t.Fatalf("reload: %s", out)
	}
	var line struct {
		Level, Msg, By, Process string
		UID                     *int
		PID                     int
		Applied                 []string
	}
	until(t, "the reload in the log", func() bool { return strings.Contains(d.log.String(), "log.level") })
	log := strings.TrimSpace(d.log.String())
	last := log[strings.LastIndex(log, "\n")+1:]
	if err := json.Unmarshal([]byte(last), &line); err != nil || line.Msg != "reloaded" || line.UID == nil || *line.UID != os.Getuid() || line.PID == 0 ||
		line.Process != "heimdallctl" || line.By != "admin socket" {
		t.Errorf("%q is %+v, %v", last, line, err)
	}
	if strings.Contains(log, "quiet.example") || strings.Contains(log, "serving") {
		t.Errorf("lines below the level are logged:\n%s", log)
	}
	d.write(zones + "[log]\nformat = \"text\"\n")
	d.cmd.Process.Signal(syscall.SIGHUP)
	until(t, "a line of text", func() bool { return strings.Contains(d.log.String(), "level=INFO msg=reloaded by=SIGHUP") })
	d.write(zones + "[log]\nformat = \"xml\"\n")
	if out, code := d.ctl("reload"); code == 0 || !strings.Contains(out, `"xml" is none of auto, text, json, journald`) {
		t.Errorf("a wrong format: %s", out)
	}
}

// Of many lines of one kind some are written, and the rest is counted.
func TestLogFlood(t *testing.T) {
	t.Parallel()
	const faults, burst = 40, 5
	text := "$TTL 3600\n@ SOA ns1 h 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
	for i := range faults { // mail goes to what has no address
		text += fmt.Sprintf("m%d MX 10 none%d\n", i, i)
	}
	d := start(t, fmt.Sprintf("[log]\nburst = %d\n[[zone]]\nname = \"example.\"\nfile = %q\n", burst, writeFile(t, "example.zone", text)))
	var s control.Status
	d.ctlJSON(&s, "status")
	if s.Log.Held == 0 || s.Log.Dropped > 0 || s.Log.Format != "text" {
		t.Fatalf("log %+v:\n%s", s.Log, d.log)
	}
	if n := strings.Count(d.log.String(), `msg="a zone has a fault" `); n != burst {
		t.Errorf("%d lines of the kind were written:\n%s", n, d.log)
	}
}

// Nobody waits for a log that is not read: the daemon answers, does what it is told, counts what it drops, and ends. A
// reader that has gone does not end it.
func TestLogThatNobodyReads(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "log")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	metrics := freePort(t)
	config := fmt.Sprintf("[recursion]\nenabled = false\n[log]\nformat = \"text\"\n[admin]\nmetrics = %q\n", metrics)
	addr := freePort(t)
	d := &daemon{t: t, addr: addr, dir: t.TempDir()}
	d.config, d.socket = filepath.Join(d.dir, "config.toml"), filepath.Join(d.dir, "admin.sock")
	text := fmt.Sprintf("%ssocket = %q\n[server]\nlisten = [%q]\n[cpu]\nshards = 1\n", config, d.socket, addr)
	if err := os.WriteFile(d.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	d.launch("sh", "-c", `exec "$@" 2>`+fifo, "sh")
	answers := func() bool {
		r, err := exchange(addr, chaos("version.bind."), "udp")
		return err == nil && len(r.Answer) == 1
	}
	until(t, "an answer", answers)
	// The deeds of one connection, which are always logged, fill the pipe and the queue behind it.
	c, err := net.Dial("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const deeds = 12000
	go func() {
		for i := range deeds {
			fmt.Fprintf(c, `{"command":"cache.flush","args":{"name":"%s%d.example."}}`+"\n", strings.Repeat("x", 60), i)
		}
	}()
	responses := bufio.NewScanner(c)
	for i := range deeds {
		c.SetReadDeadline(time.Now().Add(patience))
		if !responses.Scan() {
			t.Fatalf("response %d: %v", i, responses.Err())
		}
	}
	if !answers() {
		t.Error("the daemon does not answer while its log is stuck")
	}
	value := func(name string) (n float64) {
		text, _, err := get("http://" + metrics + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(line, name+" "); ok {
				fmt.Sscan(rest, &n)
			}
		}
		return n
	}
	if n := value(`heimdall_log_lines_dropped_total{reason="queue"}`); n == 0 || n > deeds {
		t.Errorf("%v lines were dropped", n)
	}
	reader.Close()
	until(t, "lines that nobody takes", func() bool { return value(`heimdall_log_lines_dropped_total{reason="reader"}`) > 0 })
	if !answers() {
		t.Error("the daemon does not answer when its log has gone")
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A server that goes down, and a limit that strikes, are each told of in one line.
func TestChangesAreLogged(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, answerA)
	d := start(t, slowLimit+"slip = 0\n"+forward(".", up))
	if r := d.exchange(question("hot.example.", dns.TypeA), "tcp"); len(r.Answer) != 1 {
		t.Fatal(r)
	}
	spray(t, d, "127.0.0.2", 100)
	until(t, "the limit in the log", func() bool { return strings.Contains(d.log.String(), "clients above their rate are limited") })
	up.Set(func(dns.ResponseWriter, *dns.Msg) {})
	go func() {
		for i := range 4 {
			exchange(d.addr, question(fmt.Sprintf("a%d.example.", i), dns.TypeA), "tcp")
		}
	}()
	until(t, "the dead server in the log", func() bool { return strings.Contains(d.log.String(), "no server of a zone answers any more") })
	up.Set(answerA)
	until(t, "the server in the log again", func() bool {
		exchange(d.addr, question("back.example.", dns.TypeA), "tcp")
		return strings.Contains(d.log.String(), "a server answers again")
	})
	for _, once := range []string{"clients above their rate are limited", "no server of a zone answers any more", "a server answers again"} {
		if n := strings.Count(d.log.String(), once); n != 1 {
			t.Errorf("%d lines: %s", n, once)
		}
	}
}

// With standard error connected to the journal, lines go there as entries with fields.
func TestRootJournald(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skipf("makes a mount namespace: %v", fmt.Errorf("not root: %w", ebpf.ErrNotSupported))
	}
	dir := t.TempDir()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := new(syncBuffer)
	go func() {
		var b [65536]byte
		for {
			n, err := l.Read(b[:])
			if err != nil {
				return
			}
			got.Write(append(b[:n], '\n'))
		}
	}()
	// The environment names standard error as systemd does.
	script := `mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind ` + dir + ` /run/systemd/journal || exit 9
		exec 2>` + dir + `/stderr; JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec "$@"`
	d := tryStart(t, freePort(t), "[recursion]\nenabled = false\n", "unshare", "-m", "sh", "-c", script, "sh")
	if d == nil {
		t.Fatal("the port is in use")
	}
	if out, code := d.ctl("cache", "flush", "www.example.net"); code != 0 {
		t.Fatal(out)
	}
	until(t, "entries of the journal", func() bool { return strings.Contains(got.String(), "flushed the cache") })
	for entry := range strings.SplitSeq(got.String(), "\n\n") {
		if strings.Contains(entry, "flushed the cache") {
			for _, want := range []string{
				"PRIORITY=6\n", "SYSLOG_IDENTIFIER=heimdalld\n", "MESSAGE=flushed the cache by=\"admin socket\" uid=0 ", "HEIMDALL_NAME=www.example.net\n",
				"HEIMDALL_UID=0\n", "HEIMDALL_USER=root\n", "HEIMDALL_PROCESS=heimdallctl\n",
			} {
				if !strings.Contains(entry+"\n", want) {
					t.Errorf("the entry lacks %q:\n%s", want, entry)
				}
			}
		}
	}
	if stderr, err := os.ReadFile(filepath.Join(dir, "stderr")); err != nil || len(stderr) > 0 {
		t.Errorf("standard error has %q, %v", stderr, err)
	}
}
