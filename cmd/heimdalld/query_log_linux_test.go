package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/ebpf"
)

// ownZone is served by the daemons of these tests.
func ownZone(t *testing.T) string {
	return zoneFile(t, "own.example.", "@ 3600 SOA a b 1 2 3 4 5\n@ 3600 NS a\na 3600 A 192.0.2.7\n")
}

// queryLog is the configuration of a query log.
func queryLog(file, more string) string {
	return fmt.Sprintf("[query_log]\nenabled = true\nfile = %q\n%s\n", file, more)
}

// named is the configuration of a query log that is off: what stands in its folder may be written to after a reload.
func named(folder string) string {
	return fmt.Sprintf("[query_log]\nfile = %q\n", filepath.Join(folder, "off"))
}

// lines reads the lines of a file about a name, or all of them; none if it is not there.
func lines(path, about string) (list []string) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.Contains(s.Text(), about) {
			list = append(list, s.Text())
		}
	}
	return list
}

// Each response has a line that says what it was and where it came from, in either format, and a reload changes the format.
func TestQueryLog(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	path := filepath.Join(t.TempDir(), "q.log")
	rest := forward(".", up) + ownZone(t)
	d := start(t, rest+queryLog(path, ""))
	ask := func() {
		d.ask("a.own.example.", dns.TypeA)
		d.ask("no.own.example.", dns.TypeTXT)
		d.exchange(question("www.example.", dns.TypeA), "tcp")
		d.ask("www.example.", dns.TypeA)
		d.ask("localhost.", dns.TypeAAAA)
	}
	ask()
	until(t, "lines", func() bool { return len(lines(path, "example.")) == 4 && len(lines(path, "localhost.")) == 1 })
	got := lines(path, "example.")
	got = append(got, lines(path, "localhost.")...)
	for i, want := range []string{
		`transport=udp name=a\.own\.example\. class=IN type=A flags=aa,rd,ra rcode=NOERROR answers=1 size=47 us=\d+ source=zone dnssec=-`,
		`transport=udp name=no\.own\.example\. class=IN type=TXT flags=aa,rd,ra rcode=NXDOMAIN answers=0 size=\d+ us=\d+ source=zone dnssec=-`,
		`transport=tcp name=www\.example\. class=IN type=A flags=rd,ra rcode=NOERROR answers=1 size=45 us=\d+ source=upstream dnssec=-`,
		`transport=udp name=www\.example\. class=IN type=A flags=rd,ra rcode=NOERROR answers=1 size=45 us=\d+ source=cache dnssec=-`,
		`transport=udp name=localhost\. class=IN type=AAAA flags=aa,rd,ra rcode=NOERROR answers=1 size=\d+ us=\d+ source=local dnssec=-`,
	} {
		if !regexp.MustCompile(`^time=20\d\d-\d\d-\d\dT[0-9:.]*Z client=127\.0\.0\.1:\d+ ` + want + `$`).MatchString(got[i]) {
			t.Errorf("%s\nwant %s", got[i], want)
		}
	}

	d.write(rest + queryLog(path, `format = "json"`))
	var r reloaded
	if d.ctlJSON(&r, "reload"); len(r.NeedsRestart) > 0 || fmt.Sprint(r.Applied) != "[query_log.format]" {
		t.Errorf("%+v", r)
	}
	ask()
	until(t, "objects", func() bool { return len(lines(path, "{")) >= 5 })
	for _, text := range lines(path, "{") {
		var o struct{ Client, Transport, Name, Type, Rcode, Source string }
		if err := json.Unmarshal([]byte(text), &o); err != nil || o.Client == "" || o.Transport == "" || o.Name == "" || o.Type == "" || o.Rcode == "" || o.Source == "" {
			t.Errorf("%s: %v", text, err)
		}
	}

	// To the daemon's log.
	d.write(rest + queryLog("", ""))
	d.ctlJSON(&r, "reload")
	d.ask("a.own.example.", dns.TypeA)
	until(t, "a line of the daemon's log", func() bool {
		return strings.Contains(d.log.String(), "msg=query client=127.0.0.1:") && strings.Contains(d.log.String(), "name=a.own.example. class=IN type=A flags=aa,rd,ra rcode=NOERROR")
	})
}

// What is asked to break the log is escaped, in either format.
func TestQueryLogOfHostileNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := func(format string) string {
		return "[recursion]\nenabled = false\n" + queryLog(filepath.Join(dir, format), fmt.Sprintf("format = %q", format))
	}
	d := start(t, config("text"))
	name := `x\010\034\\\013\000\255 rcode\061y.\027[31m.evil.example.`
	for _, format := range []string{"text", "json"} {
		d.write(config(format))
		d.ctlJSON(new(reloaded), "reload")
		d.exchange(question(name, 65280), "udp")
		path := filepath.Join(dir, format)
		until(t, "the line", func() bool { return len(lines(path, "evil.example.")) == 1 })
		text := lines(path, "evil.example.")[0]
		for _, c := range []byte(text) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q", text)
			}
		}
		if format == "text" {
			if strings.Count(text, "rcode=") != 2 || !strings.Contains(text, `name="x\\010\\\"\\\\\\013\\000\\255\\032rcode=y.\\027[31m.evil.example." `) {
				t.Error(text)
			}
			continue
		}
		var o struct{ Name string }
		if err := json.Unmarshal([]byte(text), &o); err != nil || !strings.HasPrefix(o.Name, `x\010\"\\\013\000\255\032rcode=y.`) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Rules choose lines that no sample has; the bound of a second is kept.
func TestQueryLogRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rest := "[recursion]\nenabled = false\n" + ownZone(t)
	d := start(t, rest+named(dir))
	for name, want := range map[string]int{
		"sample = 0\nrcodes = [\"REFUSED\"]": 10, "sample = 0\nnames = [\"own.example\"]": 20, "sample = 0\nclients = [\"127.0.0.0/8\"]": 30,
		"sample = 0\nclients = [\"192.0.2.0/24\"]\nrcodes = [\"NXDOMAIN\"]": 10, "sample = 0\nslower_than = \"1m\"": 0,
	} {
		path := filepath.Join(dir, regexp.MustCompile(`\W`).ReplaceAllString(name, ""))
		d.write(rest + queryLog(path, name))
		d.ctlJSON(new(reloaded), "reload")
		before := d.recording().Totals.Recorded
		for range 10 {
			d.ask("a.own.example.", dns.TypeA)
			d.ask("no.own.example.", dns.TypeA)
			d.ask("other.example.", dns.TypeA)
		}
		until(t, "records", func() bool { return d.recording().Totals.Recorded == before+30 })
		until(t, name, func() bool { return len(lines(path, "example.")) >= want })
		if n := len(lines(path, "")); n != want {
			t.Errorf("%s: %d lines, want %d", name, n, want)
		}
	}
	d.write(rest + queryLog(filepath.Join(dir, "bound"), "max_per_second = 1"))
	d.ctlJSON(new(reloaded), "reload")
	for range 100 {
		d.ask("a.own.example.", dns.TypeA)
	}
	until(t, "lines above the bound", func() bool { q := d.recording().Records.QueryLog; return q.Limited > 0 && q.Failed == 0 })
}

// A file that is renamed, as logrotate does, is followed by a new one; no line is lost.
func TestQueryLogRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "q.log")
	config := "[recursion]\nenabled = false\n" + ownZone(t) + queryLog(path, "")
	d := start(t, config)
	const each = 200
	total := func() (n int) {
		for i := range 3 {
			n += len(lines(fmt.Sprint(path, ".", i), "own.example."))
		}
		return n + len(lines(path, "own.example."))
	}
	for i := range 3 {
		for k := range each {
			d.ask("a.own.example.", dns.TypeA)
			if k == each/2 {
				if err := os.Rename(path, fmt.Sprint(path, ".", i)); err != nil {
					t.Fatal(err)
				}
				if i == 1 { // a reload, which does not wait for the next look
					d.cmd.Process.Signal(syscall.SIGHUP)
				}
			}
		}
		until(t, "a new file", func() bool { _, err := os.Stat(path); return err == nil })
	}
	until(t, "all lines", func() bool { return total() == 3*each })
	if d.stop(syscall.SIGTERM) != 0 || total() != 3*each {
		t.Errorf("%d lines", total())
	}
}

// A disk that is full loses lines, which are counted, and no query. What was there stays whole, and when there is room again
// whole lines follow.
func TestRootQueryLogOnAFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skipf("makes a mount namespace: %v", fmt.Errorf("not root: %w", ebpf.ErrNotSupported))
	}
	dir := t.TempDir()
	config := "[recursion]\nenabled = false\n" + ownZone(t) + queryLog(dir+"/q.log", "format = \"json\"") + "[dnstap]\noutput = \"file:" + dir + "/q.fstrm\"\n"
	script := `mount -t tmpfs -o size=256k none ` + dir + ` || exit 9; exec "$@"`
	d := tryStart(t, freePort(t), config, "unshare", "-m", "sh", "-c", script, "sh")
	if d == nil {
		t.Fatal("the port is in use")
	}
	inside := fmt.Sprintf("/proc/%d/root%s/", d.cmd.Process.Pid, dir)
	c, err := (&dns.Client{Net: "tcp", Timeout: patience}).Dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask := func() {
		t.Helper()
		c.SetDeadline(time.Now().Add(patience))
		if err := c.WriteMsg(question("a.own.example.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if r, err := c.ReadMsg(); err != nil || len(r.Answer) != 1 {
			t.Fatalf("%v: %v", r, err)
		}
	}
	until(t, "the disk to be full", func() bool {
		for range 200 {
			ask()
		}
		r := d.recording().Records
		return r.QueryLog.Broken && r.QueryLog.Failed > 0 && r.Dnstap.Broken && r.Dnstap.Failed > 0
	})
	whole := func(text string) bool { return strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") }
	kept, frames := 0, 0
	until(t, "as many lines and frames as status tells of", func() bool {
		kept, frames = len(lines(inside+"q.log", "")), len(framesOf(t, inside+"q.fstrm"))
		r := d.recording().Records
		return kept > 0 && uint64(kept) == r.QueryLog.Written && frames > 0 && uint64(frames) == r.Dnstap.Written
	})
	for _, text := range lines(inside+"q.log", "") {
		if !whole(text) {
			t.Errorf("a line is cut: %s", text)
		}
	}
	for _, file := range []string{"q.log", "q.fstrm"} {
		if err := os.Rename(inside+file, inside+file+".1"); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(inside+file+".1", 0); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "lines and frames again", func() bool {
		ask()
		r := d.recording().Records
		return !r.QueryLog.Broken && !r.Dnstap.Broken && r.QueryLog.Written > uint64(kept) && r.Dnstap.Written > uint64(frames)
	})
	for _, text := range lines(inside+"q.log", "") {
		if !whole(text) {
			t.Errorf("a line is cut: %s", text)
		}
	}
	if n := strings.Count(d.log.String(), "cannot be written to"); n < 2 || n > 4 {
		t.Errorf("%d lines about the full disk", n)
	}
}

// Where the log cannot be opened, the daemon serves and says so; a reload that would come to that changes nothing.
func TestQueryLogThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "q.log")
	if err := os.Mkdir(path, 0o755); err != nil { // no regular file
		t.Fatal(err)
	}
	rest := "[recursion]\nenabled = false\n" + ownZone(t)
	d := start(t, rest+queryLog(path, ""))
	if out, _ := d.ctl("status"); !strings.Contains(out, "warning: queries are not recorded as configured") || !strings.Contains(out, "the file cannot be written to") {
		t.Error(out)
	}
	d.ask("a.own.example.", dns.TypeA)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	until(t, "lines", func() bool {
		d.ask("a.own.example.", dns.TypeA)
		return len(lines(path, "own.example.")) > 0
	})
	d.write(rest + queryLog("/proc/no/such", ""))
	if out, code := d.ctl("reload"); code == 0 || !strings.Contains(out, "/proc/no") {
		t.Errorf("%d: %s", code, out)
	}
	if l, err := net.Listen("unix", filepath.Join(dir, "s")); err == nil {
		defer l.Close()
	}
	d.write(rest + queryLog(filepath.Join(dir, "s"), "")) // no regular file
	if out, code := d.ctl("reload"); code == 0 {
		t.Error(out)
	}
}
