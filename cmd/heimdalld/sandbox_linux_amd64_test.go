package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// injected is a system call that the daemon is made to do, as whoever ran code of his own in it would.
type injected struct {
	what string
	call uintptr
	args []any // uintptr, int, or string: the address of one that ends with a zero
	want syscall.Errno
}

// inject makes the main thread of a process do a system call.
func inject(t *testing.T, pid int, call uintptr, args ...any) (result int64) {
	t.Helper()
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	for range 100 {
		if err := ptrace(unix.PTRACE_SEIZE, pid); err != nil {
			t.Fatal(err)
		}
		if err := ptrace(unix.PTRACE_INTERRUPT, pid); err != nil {
			t.Fatal(err)
		}
		if _, err := syscall.Wait4(pid, nil, syscall.WALL, nil); err != nil {
			t.Fatal(err)
		}
		result, waits := injectStopped(t, pid, call, args)
		if err := syscall.PtraceDetach(pid); err != nil {
			t.Fatal(err)
		}
		if waits {
			return result
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the thread never waits in the kernel")
	return 0
}

func ptrace(request, pid int) error {
	if _, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, uintptr(request), uintptr(pid), 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// step lets a stopped thread execute one instruction. Signals that come meanwhile are not delivered: Go's runtime sends those
// that count again.
func step(t *testing.T, pid int) {
	t.Helper()
	for range 1000 {
		if err := syscall.PtraceSingleStep(pid); err != nil {
			t.Fatal(err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, syscall.WALL, nil); err != nil {
			t.Fatal(err)
		}
		if status.StopSignal() == syscall.SIGTRAP && status.TrapCause() <= 0 {
			return
		}
	}
	t.Fatal("the thread does not execute an instruction")
}

// injectStopped is inject for a stopped thread. It does nothing unless the thread waits in a system call, whose instruction
// it uses.
func injectStopped(t *testing.T, pid int, call uintptr, args []any) (result int64, waits bool) {
	t.Helper()
	must := func(_ int, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var before syscall.PtraceRegs
	must(0, syscall.PtraceGetRegs(pid, &before))
	instruction := make([]byte, 2)
	must(syscall.PtracePeekText(pid, uintptr(before.Rip-2), instruction))
	if !slices.Equal(instruction, []byte{0x0f, 0x05}) { // syscall
		return 0, false
	}
	regs := before
	regs.Rip -= 2
	regs.Rax, regs.Orig_rax = uint64(call), ^uint64(0) // the call that it waits in is not begun again by this
	// Texts lie below the stack, and below the part that a function may use without moving its end.
	const room = 512
	at := (before.Rsp - 4096) &^ 7
	saved := make([]byte, room)
	must(syscall.PtracePeekData(pid, uintptr(at), saved))
	texts := make([]byte, 0, room)
	var values [6]uint64
	for i, a := range args {
		switch a := a.(type) {
		case int:
			values[i] = uint64(a)
		case string:
			values[i] = at + uint64(len(texts))
			texts = append(append(texts, a...), 0)
			texts = append(texts, make([]byte, -len(texts)&7)...)
		}
	}
	must(syscall.PtracePokeData(pid, uintptr(at), texts))
	regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8, regs.R9 = values[0], values[1], values[2], values[3], values[4], values[5]
	must(0, syscall.PtraceSetRegs(pid, &regs))
	step(t, pid)
	must(0, syscall.PtraceGetRegs(pid, &regs))
	must(syscall.PtracePokeData(pid, uintptr(at), saved))
	must(0, syscall.PtraceSetRegs(pid, &before))
	return int64(regs.Rax), true
}

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
	for _, c := range []injected{
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
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := errnoOf(inject(t, inner.cmd.Process.Pid, c.call, c.args...)); got != c.want {
				t.Errorf("in the sandbox: %v, want %v", got, c.want)
			}
			// The same without sandbox: what denied it above was the sandbox.
			if got := errnoOf(inject(t, outer.cmd.Process.Pid, c.call, c.args...)); c.want != 0 && got == c.want {
				t.Errorf("without sandbox: %v, too", got)
			}
		})
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
