package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"heimdall/shard/shardtest"

	"github.com/miekg/dns"
)

// The end-to-end tests start the binaries that users get and speak to their sockets.

var built string // folder of the binaries, if a test needed them

// Where there is no Go, on a machine that has nothing but tests, the binaries are brought along.
var shippedIn = flag.String("binaries", "", "`folder` of heimdalld and heimdallctl; empty: they are built")

var binaries = sync.OnceValues(func() (string, error) {
	if *shippedIn != "" {
		return *shippedIn, nil
	}
	dir, err := os.MkdirTemp("", "heimdall-test-")
	built = dir
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir+"/", "heimdall/cmd/heimdalld", "heimdall/cmd/heimdallctl").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	runWithout()
	runTracer()
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// shipped builds the shipped binaries once, unless they are given, and returns the path of one.
func shipped(t testing.TB, name string) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// daemon is a running heimdalld.
type daemon struct {
	t      testing.TB
	addr   string // UDP and TCP
	dir    string
	config string
	socket string
	cmd    *exec.Cmd
	exited chan struct{}
	log    *syncBuffer
}

// start runs the daemon with a configuration, to which its listening address and admin socket are added, and
// a single shard if it does not say otherwise, and a root server that is not there. It is killed, if it still runs, when the test ends.
func start(t testing.TB, toml string) *daemon {
	t.Helper()
	// A free port may be taken by the time that the daemon wants it: others open random ports all the time.
	for range 5 {
		if d := tryStart(t, freePort(t), toml); d != nil {
			return d
		}
	}
	t.Fatal("the daemon does not find a port")
	return nil
}

// tryStart returns nil if the address is in use. wrapper is a command that runs the daemon, if there is one.
func tryStart(t testing.TB, addr, toml string, wrapper ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, addr: addr, dir: t.TempDir()}
	d.config = filepath.Join(d.dir, "config.toml")
	d.socket = filepath.Join(d.dir, "admin.sock")
	d.write(toml)
	d.launch(wrapper...)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if r, err := exchange(d.addr, chaos("version.bind."), "udp"); err == nil && (len(r.Answer) > 0 || r.Rcode != dns.RcodeSuccess) {
			return d
		}
		select {
		case <-d.exited:
			if strings.Contains(d.log.String(), "address already in use") {
				return nil
			}
			t.Fatalf("the daemon did not start:\n%s", d.log)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("the daemon does not answer:\n%s", d.log)
		}
	}
}

// launch starts the process, by a command that runs others if there is one. It is killed, if it still runs, when the
// test ends.
func (d *daemon) launch(wrapper ...string) {
	d.t.Helper()
	d.launchWith(nil, wrapper...)
}

// launchWith is launch with further open files, from descriptor 3 on.
func (d *daemon) launchWith(files []*os.File, wrapper ...string) {
	d.t.Helper()
	d.log, d.exited = new(syncBuffer), make(chan struct{})
	command := append(wrapper, shipped(d.t, "heimdalld"), "-config", d.config)
	d.cmd = exec.Command(command[0], command[1:]...)
	d.cmd.Stdout, d.cmd.Stderr, d.cmd.ExtraFiles = d.log, d.log, files
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() { d.cmd.Wait(); close(d.exited) }()
	d.t.Cleanup(func() {
		d.cmd.Process.Kill()
		<-d.exited
		if d.t.Failed() {
			d.t.Logf("the daemon's log:\n%s", d.log)
		}
	})
}

// write replaces the configuration file.
func (d *daemon) write(toml string) {
	d.t.Helper()
	head := fmt.Sprintf("[server]\nlisten = [%q]\n", d.addr)
	if rest, ok := strings.CutPrefix(strings.TrimSpace(toml), "[server]"); ok {
		toml = rest
	}
	if !strings.Contains(toml, "root_hints") {
		// No test may ask the real root servers. Nobody listens at this one.
		hints := filepath.Join(d.dir, "root.hints")
		if err := os.WriteFile(hints, []byte(". 3600 NS nobody.test.\nnobody.test. 3600 A 127.0.0.254\n"), 0o644); err != nil {
			d.t.Fatal(err)
		}
		// Nor does what these upstreams answer lead to the real root's keys.
		key := fmt.Sprintf("[recursion]\nroot_hints = %q\nvalidation = false\n", hints)
		if strings.Contains(toml, "[recursion]\n") {
			toml = strings.Replace(toml, "[recursion]\n", key, 1)
		} else {
			toml += "\n" + key
		}
	}
	if !strings.Contains(toml, "[cpu]") {
		toml += "\n[cpu]\nshards = 1\n"
	}
	if !strings.Contains(toml, "[security]") { // a reload may name what the test has in its other folders
		toml += fmt.Sprintf("\n[security]\nfolders = [%q]\n", filepath.Dir(d.dir))
	}
	text := head + sheddingNothing(toml) + fmt.Sprintf("\n[admin]\nsocket = %q\n", d.socket)
	if err := os.WriteFile(d.config, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// sheddingNothing returns a configuration with which a machine that halts loses no query of a test, unless the test says when
// they are shed.
func sheddingNothing(toml string) string {
	if strings.Contains(toml, "shed_after") {
		return toml
	}
	const patient = "[io]\nshed_after = \"0s\"\n"
	if strings.Contains(toml, "[io]\n") {
		return strings.Replace(toml, "[io]\n", patient, 1)
	}
	return toml + "\n" + patient
}

// ask sends a query over UDP and returns the response.
func (d *daemon) ask(name string, qtype uint16) *dns.Msg {
	d.t.Helper()
	return d.exchange(question(name, qtype), "udp")
}

func (d *daemon) exchange(q *dns.Msg, network string) *dns.Msg {
	d.t.Helper()
	r, err := exchange(d.addr, q, network)
	if err != nil {
		d.t.Fatalf("%s over %s: %v", q.Question[0].String(), network, err)
	}
	return r
}

// ctl runs heimdallctl and returns its output, its exit code aside.
func (d *daemon) ctl(args ...string) (string, int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, shipped(d.t, "heimdallctl"), append([]string{"-socket", d.socket, "-timeout", patience.String()}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		d.t.Fatalf("heimdallctl %v: %v", args, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// ctlJSON runs heimdallctl -json, which must succeed, and decodes what it prints.
func (d *daemon) ctlJSON(v any, args ...string) {
	d.t.Helper()
	out, code := d.ctl(append([]string{"-json"}, args...)...)
	if code != 0 {
		d.t.Fatalf("heimdallctl %v: exit code %d: %s", args, code, out)
	}
	if err := json.Unmarshal([]byte(out), v); err != nil {
		d.t.Fatalf("heimdallctl %v printed %q: %v", args, out, err)
	}
}

// stop asks the daemon to end, and returns its exit code.
func (d *daemon) stop(sig syscall.Signal) int {
	d.t.Helper()
	d.cmd.Process.Signal(sig)
	select {
	case <-d.exited:
	case <-time.After(patience):
		d.t.Fatalf("the daemon does not end on %v:\n%s", sig, d.log)
	}
	return d.cmd.ProcessState.ExitCode()
}

func question(name string, qtype uint16) *dns.Msg {
	return new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
}

func chaos(name string) *dns.Msg {
	q := question(name, dns.TypeTXT)
	q.Question[0].Qclass = dns.ClassCHAOS
	return q
}

func exchange(addr string, q *dns.Msg, network string) (*dns.Msg, error) {
	c := dns.Client{Net: network, Timeout: 10 * time.Second, UDPSize: 4096}
	r, _, err := c.Exchange(q, addr)
	return r, err
}

// What these tests share with those of the packages below shard.
type (
	upstream   = shardtest.Upstream
	syncBuffer = shardtest.Buffer
)

const patience = shardtest.Patience

var (
	until       = shardtest.Until
	freePort    = shardtest.FreePort
	listenBoth  = shardtest.ListenBoth
	newUpstream = shardtest.NewUpstream
	answerA     = shardtest.AnswerA
	record      = shardtest.Record
)

// forward is the configuration that sends everything to these servers.
func forward(zone string, servers ...*upstream) string {
	list := make([]string, len(servers))
	for i, s := range servers {
		list[i] = fmt.Sprintf("%q", s.Addr)
	}
	return fmt.Sprintf("\n[[forward]]\nzone = %q\nservers = [%s]\n", zone, strings.Join(list, ", "))
}

// answerOther answers every name with the address 192.0.2.2 for an hour.
func answerOther(w dns.ResponseWriter, q *dns.Msg) {
	r := right(q)
	r.Answer[0] = record("%s 3600 IN A 192.0.2.2", q.Question[0].Name)
	w.WriteMsg(r)
}

// configLine is ":12" for the line of the configuration that begins with a key.
func (d *daemon) configLine(key string) string {
	d.t.Helper()
	text, err := os.ReadFile(d.config)
	if err != nil {
		d.t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, key+" ") {
			return fmt.Sprintf(":%d", i+1)
		}
	}
	d.t.Fatalf("no key %s in\n%s", key, text)
	return ""
}
