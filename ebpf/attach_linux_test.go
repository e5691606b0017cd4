package ebpf

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"heimdall/core/wire"
)

// Over a veth pair, in both modes and families: what is hot the kernel answers, and the client's stack finds the
// checksums right; what is not comes to the socket; what is malformed does not.
func TestRootVeth(t *testing.T) {
	for _, mode := range []string{"native", "generic"} {
		t.Run(mode, func(t *testing.T) {
			l := newLab(t, mode)
			if l.mode != mode {
				t.Errorf("attached in %s mode", l.mode)
			}
			for _, to := range []netip.AddrPort{server4, server6} {
				for _, q := range [][]byte{
					query("WWW.example.", wire.TypeA, 0, 0, false), query("www.example.", wire.TypeA, wire.FlagAD, 1232, false),
				} {
					got := l.ask(t, to, q, 5*time.Second)
					if len(got) < len(q)+16 || !bytes.Equal(got[12:12+17], q[12:12+17]) || !bytes.Equal(got[:2], q[:2]) {
						t.Fatalf("%v: to %x came %x", to, q, got)
					}
				}
				if got := l.ask(t, to, query("other.example.", wire.TypeA, 0, 0, false), 5*time.Second); string(got) != "passed" {
					t.Errorf("%v: to a query that is not hot came %x", to, got)
				}
				if got := l.ask(t, to, query("www.example.", wire.TypeA, 0, 0, false)[:20], 300*time.Millisecond); got != nil {
					t.Errorf("%v: to half a query came %x", to, got)
				}
			}
		})
	}
}

// A process that is killed leaves no program behind.
func TestRootKilled(t *testing.T) {
	l := newLab(t, "auto")
	if !l.attached(t) {
		t.Fatal("no program on the interface")
	}
	if err := l.process.Process.Kill(); err != nil { // ip has become the process
		t.Fatal(err)
	}
	l.process.Wait()
	for end := time.Now().Add(10 * time.Second); l.attached(t); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the program is still there")
		}
	}
	conn := l.Dial(t, "udp", "", server4.String())
	conn.Write(query("www.example.", wire.TypeA, 0, 0, false))
	conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 512)); err == nil {
		t.Errorf("%d octets in answer", n)
	}
}

// What does not work is said in one line.
func TestRootNotSupported(t *testing.T) {
	p := load(t, Options{})
	for _, mode := range []Mode{Auto, Native, Generic} {
		if _, _, err := p.Attach(1<<30, mode); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("attached to an interface that is not there: %v", err)
		}
	}
	l := newLab(t, "native")
	out, err := exec.Command("ip", "netns", "exec", l.Server, "env", attachEnv+"=native", os.Args[0]).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "address already in use") && !strings.Contains(string(out), ErrNotSupported.Error()) {
		t.Errorf("a second process says %s (%v)", out, err)
	}
	if err := explain("attach", errors.New("x")); errors.Is(err, ErrNotSupported) {
		t.Error("any error counts as not supported")
	}
}
