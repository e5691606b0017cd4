package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// run starts the daemon with flags and returns what it prints and its exit code. It is killed if it does not
// end.
func runDaemon(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(shipped(t, "heimdalld"), args...)
	log := new(syncBuffer)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer ended.Stop()
	cmd.Wait()
	return log.String(), cmd.ProcessState.ExitCode()
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// again starts the daemon anew with the configuration that it had.
func (d *daemon) again(args ...string) *daemon {
	d.t.Helper()
	next := *d
	next.log, next.exited = new(syncBuffer), make(chan struct{})
	next.cmd = exec.Command(shipped(d.t, "heimdalld"), append([]string{"-config", d.config}, args...)...)
	next.cmd.Stdout, next.cmd.Stderr = next.log, next.log
	if err := next.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() { next.cmd.Wait(); close(next.exited) }()
	d.t.Cleanup(func() { next.cmd.Process.Kill(); <-next.exited })
	return &next
}

func (d *daemon) ended() bool {
	select {
	case <-d.exited:
		return true
	default:
		return false
	}
}

// SIGTERM and SIGINT answer what is in flight, over UDP and TCP, and exit with 0.
func TestSignalsDrain(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) { <-release; answerA(w, q) })
			d := start(t, "[resolver]\ntimeout = \"30s\"\n"+forward(".", up))
			const clients = 10
			var conns []*dns.Conn
			for i := range clients {
				c, err := dns.Dial([]string{"udp", "tcp"}[i%2], d.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				c.SetDeadline(time.Now().Add(patience))
				c.WriteMsg(question(fmt.Sprintf("n%d.example.", i), dns.TypeA))
				conns = append(conns, c)
			}
			idle, err := net.Dial("tcp", d.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			until(t, "all clients to wait", func() bool { return inFlight(d) == clients })
			d.cmd.Process.Signal(sig)
			until(t, "the daemon to drain", func() bool { return strings.Contains(d.log.String(), "draining") })
			close(release)
			for i, c := range conns {
				if r, err := c.ReadMsg(); err != nil || len(r.Answer) != 1 {
					t.Errorf("client %d: %v, %v", i, r, err)
				}
			}
			select {
			case <-d.exited:
			case <-time.After(patience):
				t.Fatal("the daemon does not end")
			}
			if code := d.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if _, err := os.Lstat(d.socket); err == nil {
				t.Error("the admin socket is left behind")
			}
		})
	}
}

// A server that never answers does not keep the daemon from ending, nor does a client that says nothing.
func TestDrainingEnds(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, silent)
	d := start(t, "[resolver]\ntimeout = \"60s\"\n"+forward(".", up))
	c, err := dns.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.WriteMsg(question("never.example.", dns.TypeA))
	admin, err := net.Dial("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	until(t, "the client to wait", func() bool { return inFlight(d) == 1 })
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// The socket file of a daemon that was killed is replaced.
func TestRestartAfterKill(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	d.stop(syscall.SIGKILL)
	if _, err := os.Lstat(d.socket); err != nil {
		t.Fatalf("a killed daemon leaves its socket file: %v", err)
	}
	d = d.again()
	until(t, "the new daemon to serve", func() bool { return strings.Contains(d.log.String(), "serving") })
	stillRight(t, d, "www.example.")
	if inFlight(d) != 0 {
		t.Error("queries in flight")
	}
}

// A second daemon with the same socket, or the same address, says so and leaves the first one alone.
func TestSecondDaemon(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d shards", shards), func(t *testing.T) {
			t.Parallel()
			up := newUpstream(t, nil)
			toml := fmt.Sprintf("[cpu]\nshards = %d\npin = false\n%s", shards, forward(".", up))
			d := start(t, toml)
			second := *d
			second.config = filepath.Join(t.TempDir(), "second.toml")
			second.addr = freePort(t)
			second.write(toml)
			out, code := runDaemon(t, "-config", second.config)
			if code != 1 || !strings.Contains(out, d.socket) || !strings.Contains(out, "another process listens on it") {
				t.Errorf("same socket: exit code %d: %s", code, out)
			}
			second.addr, second.socket = d.addr, filepath.Join(t.TempDir(), "second.sock")
			second.write(toml)
			out, code = runDaemon(t, "-config", second.config)
			if code != 1 || !strings.Contains(out, d.addr) || !strings.Contains(out, "address already in use") {
				t.Errorf("same address: exit code %d: %s", code, out)
			}
			if _, err := os.Lstat(second.socket); err == nil {
				t.Error("its socket is left behind")
			}
			for i := range 20 {
				stillRight(t, d, fmt.Sprintf("n%d.example.", i))
			}
		})
	}
}

// What start-up cannot have is named, and the exit code is 1.
func TestStartUpFailures(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "file", "x")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	sock := filepath.Join(t.TempDir(), "a.sock")
	base := "[server]\nlisten = [%q]\n[admin]\nsocket = %q\n%s\n[cpu]\nshards = 1\n"
	for name, c := range map[string]struct{ config, want string }{
		"TCP port in use":      {fmt.Sprintf(base, busy.Addr(), sock, ""), busy.Addr().String() + " over TCP"},
		"no such address":      {fmt.Sprintf(base, "192.0.2.77:1053", sock, ""), "192.0.2.77:1053"},
		"the socket is a file": {fmt.Sprintf(base, freePort(t), file, ""), "is no socket"},
		"no such folder":       {fmt.Sprintf(base, freePort(t), "/nonexistent/x/a.sock", ""), "/nonexistent/x/a.sock"},
		"metrics port in use":  {fmt.Sprintf(base, freePort(t), sock, fmt.Sprintf("metrics = %q", busy.Addr())), "metrics"},
		"no such CPU":          {fmt.Sprintf(strings.Replace(base, "shards = 1", "shards = \"900\\u002d901\"", 1), freePort(t), sock, ""), "900"},
	} {
		out, code := runDaemon(t, "-config", writeFile(t, "config.toml", c.config))
		if code != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d: %s", name, code, out)
		}
	}
}
