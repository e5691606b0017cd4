package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A daemon that runs out of descriptors says so in the log, in its counters and to doctor; with few at the start it takes
// more, or warns.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	d := start(t, "[recursion]\nenabled = false\n")
	pid := d.cmd.Process.Pid
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	few := unix.Rlimit{Cur: uint64(len(open) + 10), Max: uint64(len(open) + 10)}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &few, nil); err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	for range 40 {
		c, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	until(t, "a line in the log", func() bool { return strings.Contains(d.log.String(), "could not be accepted: too many open files") })
	if n := strings.Count(d.log.String(), "could not be accepted"); n != 1 {
		t.Errorf("%d lines in the log", n)
	}
	for _, c := range conns {
		c.Close()
	}
	until(t, "the count", func() bool { out, code := d.ctl("shards"); return code == 0 && strings.Contains(out, "descriptors") })
	if out, _ := d.ctl("doctor"); !strings.Contains(out, "open_files: up to ") || !strings.Contains(out, "LimitNOFILE") {
		t.Errorf("doctor says\n%s", out)
	}
}

// The limit at the start is raised, or a warning names what is needed.
func TestFewDescriptorsAtTheStart(t *testing.T) {
	t.Parallel()
	d := tryStart(t, freePort(t), "[recursion]\nenabled = false\n", "sh", "-c", `ulimit -n 64; exec "$0" "$@"`)
	if d == nil {
		t.Fatal("the port is taken")
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	out, _ := d.ctl("status")
	if low := strings.Contains(string(limits), "Max open files            64 "); low != strings.Contains(out, "limit of open files") {
		t.Errorf("limits\n%s\nstatus\n%s", limits, out)
	}
}
