package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// listenAsManager makes the socket of a service manager and returns what comes there, message by message.
func listenAsManager(t *testing.T) (path string, told <-chan string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	out := make(chan string, 1000)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			out <- string(buf[:n])
		}
	}()
	return path, out
}

// next returns the next message that has to do with more than the watchdog and the store of descriptors.
func next(t *testing.T, told <-chan string) string {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case m := <-told:
			if m != "WATCHDOG=1" && !strings.HasPrefix(m, "FDSTORE") && m != "BARRIER=1" {
				return m
			}
		case <-timeout:
			t.Fatal("nothing is told")
		}
	}
}

// The service manager is told of the start, of each reload, whoever asked for it, and of the end; its watchdog is fed.
func TestServiceManager(t *testing.T) {
	t.Parallel()
	path, told := listenAsManager(t)
	up := newUpstream(t, answerA)
	d := start(t, forward(".", up))
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Fatal(code)
	}
	d.launch("env", "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=2000000")
	if m := next(t, told); m != "READY=1\nSTATUS=serving on "+d.addr {
		t.Errorf("at the start %q", m)
	}
	timeout := time.After(patience)
	for n := 0; n < 3; {
		select {
		case m := <-told:
			if m == "WATCHDOG=1" {
				n++
			}
		case <-timeout:
			t.Fatal("the watchdog is not fed")
		}
	}
	reloading := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*$`)
	for _, reload := range []func(){
		func() { d.cmd.Process.Signal(syscall.SIGHUP) },
		func() {
			if out, code := d.ctl("reload"); code != 0 {
				t.Error(out)
			}
		},
		func() {
			d.write("[cache]\nmemory = \"nothing\"\n" + forward(".", up))
			if out, code := d.ctl("reload"); code != 1 {
				t.Errorf("exit code %d: %s", code, out)
			}
		},
	} {
		reload()
		if m := next(t, told); !reloading.MatchString(m) {
			t.Errorf("a reload begins with %q", m)
		}
		if m := next(t, told); !strings.HasPrefix(m, "READY=1\n") {
			t.Errorf("a reload ends with %q", m)
		}
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	if m := next(t, told); m != "STOPPING=1\nSTATUS=draining" {
		t.Errorf("at the end %q", m)
	}
	until(t, "the daemon's end", d.ended)
}

// A watchdog is fed no more while a shard does not turn.
func TestWatchdogOfAShardThatIsStuck(t *testing.T) {
	path, told := listenAsManager(t)
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "20000")
	var looks atomic.Int64
	stuck := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go manager{slog.New(slog.DiscardHandler)}.feed(ctx, func(context.Context) error {
		if looks.Add(1) > 2 {
			if looks.Load() == 10 {
				close(stuck)
			}
			return errors.New("stuck")
		}
		return nil
	})
	select {
	case <-stuck:
	case <-time.After(patience):
		t.Fatal("it is not looked for")
	}
	// What is told comes in order.
	manager{slog.New(slog.DiscardHandler)}.tell("END")
	var all []string
	timeout := time.After(patience)
	for !slices.Contains(all, "END") {
		select {
		case m := <-told:
			all = append(all, m)
		case <-timeout:
			t.Fatalf("told %q", all)
		}
	}
	if !slices.Equal(all, []string{"WATCHDOG=1", "WATCHDOG=1", "END"}) {
		t.Errorf("told %q, want the watchdog to be fed twice", all)
	}
}
