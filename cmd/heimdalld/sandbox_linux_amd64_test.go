package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// What somebody wants who runs code of his own in the daemon does not work; what the daemon needs does.
func TestSandbox(t *testing.T) {
	const zone = `
[[zone]]
name = "example."
file = "example.zone"
[recursion]
enabled = false
`
	inner := start(t, zone)
	outer := start(t, "[security]\nsandbox = \"off\"\n"+zone)

	const denied, hidden = syscall.EPERM, syscall.EACCES
	elsewhere := filepath.Join(t.TempDir(), "made")
	cases := []struct {
		what string
		call int
		args []any
		want syscall.Errno
	}{
		{"start a program", unix.SYS_EXECVE, []any{"/nowhere/at/all", 0, 0}, denied},
		{"start a program by descriptor", unix.SYS_EXECVEAT, []any{unix.AT_FDCWD, "/nowhere/at/all", 0, 0, 0}, denied},
		{"trace", unix.SYS_PTRACE, []any{syscall.PTRACE_PEEKDATA, 1, 0, 0}, denied},
		{"read another process", unix.SYS_PROCESS_VM_READV, []any{1, 0, 0, 0, 0, 0}, denied},
		{"signal another process", unix.SYS_KILL, []any{os.Getpid(), 0}, denied},
		{"read a file elsewhere", unix.SYS_OPENAT, []any{unix.AT_FDCWD, "/etc/passwd", unix.O_RDONLY, 0}, hidden},
		{"make a file elsewhere", unix.SYS_OPENAT, []any{unix.AT_FDCWD, elsewhere, unix.O_WRONLY | unix.O_CREAT, 0o600}, hidden},
		{"a raw socket", unix.SYS_SOCKET, []any{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_UDP}, denied},
		{"a raw socket over IPv6", unix.SYS_SOCKET, []any{unix.AF_INET6, unix.SOCK_RAW | unix.SOCK_CLOEXEC, unix.IPPROTO_UDP}, denied},
		{"a packet socket", unix.SYS_SOCKET, []any{unix.AF_PACKET, unix.SOCK_RAW, 0}, denied},
		{"memory for code", unix.SYS_MMAP, []any{0, 4096, unix.PROT_READ | unix.PROT_EXEC, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS, -1, 0}, denied},
		{"a mount", unix.SYS_UNSHARE, []any{unix.CLONE_NEWNS}, denied},
		{"a change of user", unix.SYS_SETUID, []any{0}, denied},

		{"read a file of its own", unix.SYS_OPENAT, []any{unix.AT_FDCWD, inner.config, unix.O_RDONLY, 0}, 0},
		{"a socket for datagrams", unix.SYS_SOCKET, []any{unix.AF_INET, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, 0}, 0},
		{"a socket for streams", unix.SYS_SOCKET, []any{unix.AF_INET6, unix.SOCK_STREAM | unix.SOCK_NONBLOCK, 0}, 0},
		{"memory", unix.SYS_MMAP, []any{0, 4096, unix.PROT_READ, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS, -1, 0}, 0},
	}
	var calls []call
	for _, c := range cases {
		calls = append(calls, call{c.call, c.args})
	}
	inside, outside := inject(t, inner.cmd.Process.Pid, calls), inject(t, outer.cmd.Process.Pid, calls)
	for i, c := range cases {
		if got := errnoOf(inside[i]); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
		// What denied it was the sandbox.
		if got := errnoOf(outside[i]); c.want != 0 && got == c.want {
			t.Errorf("%s without sandbox: %v, too", c.what, got)
		}
	}
	// It goes on serving, and reloads.
	for _, d := range []*daemon{inner, outer} {
		if err := os.WriteFile(filepath.Join(d.dir, "example.zone"), []byte("@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.5\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, code := d.ctl("reload"); code != 0 {
			t.Errorf("reload: %s", out)
		}
		if r := d.ask("ns.example.", dns.TypeA); len(r.Answer) != 1 {
			t.Errorf("after it all: %v", r)
		}
	}
}

func errnoOf(result int64) syscall.Errno {
	if result < 0 && result > -4096 {
		return syscall.Errno(-result)
	}
	return 0
}
