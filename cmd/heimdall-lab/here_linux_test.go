package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/shard/shardtest"
)

// top is the folder of the Makefile.
const top = "../.."

// example copies what make run starts, so that the admin socket is in a folder of its own.
func example(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "a", "b", "c")
	if err := os.CopyFS(dir, os.DirFS("example")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// running is a command of which the output is read while it runs, in a group of processes of its own.
type running struct {
	*exec.Cmd
	out    shardtest.Buffer
	exited chan struct{}
}

// begins starts a command. All of its group ends with the test.
func begins(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{Cmd: cmd, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &r.out, &r.out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { cmd.Wait(); close(r.exited) }()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-r.exited:
		case <-time.After(patience):
			t.Errorf("it does not end")
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("it printed:\n%s", &r.out)
		}
	})
	return r
}

// says waits until the output has a text.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	shardtest.Until(t, fmt.Sprintf("the output to say %q", text), func() bool {
		select {
		case <-r.exited:
			t.Fatalf("it has ended:\n%s", &r.out)
		default:
		}
		return strings.Contains(r.out.String(), text)
	})
}

// make run and make load on a machine without a way to the internet: the zone and local names work, which commands are
// printed, and what is missing is said in one line. It is a network namespace, of which an ordinary user is root too.
func TestMakeRunWithoutInternet(t *testing.T) {
	dir := filepath.Dir(binaries(t))
	config := example(t)
	words := []string{"make", "-s", "--no-print-directory", "-C", top, "-o", "build", "BIN=" + dir, "EXAMPLE=" + config}
	script := fmt.Sprintf("ip link set lo up && exec %s run", strings.Join(words, " "))
	r := begins(t, exec.Command("unshare", "--map-root-user", "--net", "sh", "-c", script))
	r.says(t, "Ctrl-C ends it.")
	for _, want := range []string{
		"zone         yes: heimdall.example.", "local names  yes: ", "internet     no:  no route leads there: connect this machine",
		"www.heimdall.example A", "# 192.0.2.80", "localhost A", "heimdallctl status", "make load",
	} {
		if !strings.Contains(r.out.String(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.Contains(r.out.String(), "www.example.com") {
		t.Error("it prints a question that does not work here")
	}
	inside := []string{"-t", fmt.Sprint(r.Process.Pid), "-U", "-n", "--preserve-credentials"}
	out, err := exec.Command("nsenter", append(append(inside, words...), "load", "LOAD=-duration 200ms")...).CombinedOutput()
	if err != nil {
		t.Errorf("make load: %v: %s", err, out)
	}
	for _, want := range []string{"replies/s", "P50", "P99.9", "127.0.0.1:1053"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make load does not say %q:\n%s", want, out)
		}
	}
	// Ctrl-C reaches the whole group.
	syscall.Kill(-r.Process.Pid, syscall.SIGINT)
	select {
	case <-r.exited:
	case <-time.After(patience):
		t.Fatal("Ctrl-C does not end it")
	}
	socket := filepath.Join(config, "../../../heimdall.sock")
	if _, err := os.Stat(socket); err == nil {
		t.Error("the daemon goes on")
	}
	out, err = exec.Command("unshare", append([]string{"--map-root-user", "--net"}, append(words, "load", "LOAD=-warm-limit 1s -timeout 100ms -duration 100ms")...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Is `make run` running") {
		t.Errorf("make load alone: %v: %s", err, out)
	}
}

// With a forwarder that answers the internet works, and a question is printed for it. With one that does not, the line tells
// who was asked and what came.
func TestHereWithAForwarder(t *testing.T) {
	binary := binaries(t)
	for _, c := range []struct {
		handler shardtest.Handler
		want    []string
		without string
	}{
		{nil, []string{"internet     yes: names are resolved, but not validated", "www.example.com A"}, "internet     no"},
		{func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused)) },
			[]string{"internet     no:  . asks 127.0.0.1:", "SERVFAIL (", "correct [[forward]]"}, "www.example.com A"},
	} {
		u := shardtest.NewUpstream(t, c.handler)
		dir := t.TempDir()
		config := filepath.Join(dir, "config.toml")
		text := fmt.Sprintf("[server]\nlisten = [%q]\n[recursion]\nvalidation = false\n[[forward]]\nzone = \".\"\nservers = [%q]\n",
			shardtest.FreePort(t), u.Addr)
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r := begins(t, exec.Command(binary, "-here", config))
		r.says(t, "Ctrl-C ends it.")
		for _, want := range append(c.want, "zone         no:  the configuration has none") {
			if !strings.Contains(r.out.String(), want) {
				t.Errorf("it does not say %q", want)
			}
		}
		if strings.Contains(r.out.String(), c.without) {
			t.Errorf("it says %q", c.without)
		}
	}
}

// What the daemon finds wrong with its configuration ends it, and is seen.
func TestHereWithABadConfiguration(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte("[server]\nlistne = []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(binaries(t), "-here", config).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("config.toml:2: server.listne: unknown key")) || !bytes.Contains(out, []byte("the daemon does not start")) {
		t.Errorf("%v: %s", err, out)
	}
}
