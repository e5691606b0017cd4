package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/core/control"
)

// All threads are in the sandbox: of root's capabilities they have those that a reload needs.
func TestSandboxOfThreads(t *testing.T) {
	d := start(t, "")
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", d.cmd.Process.Pid))
	if err != nil || len(threads) < 3 {
		t.Fatal(threads, err)
	}
	const kept = 1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_BPF | 1<<unix.CAP_PERFMON |
		1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue // it has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		var capabilities uint64
		var filter, gains int
		for line := range strings.Lines(string(text)) {
			fmt.Sscanf(line, "CapPrm: %x", &capabilities)
			fmt.Sscanf(line, "Seccomp: %d", &filter)
			fmt.Sscanf(line, "NoNewPrivs: %d", &gains)
		}
		if capabilities&^kept != 0 || filter != 2 || gains != 1 {
			t.Errorf("%s: capabilities %x, seccomp %d, no_new_privs %d", path, capabilities, filter, gains)
		}
	}
}

// A reload takes new files from the folders that the sandbox was entered for, and refuses those of others with a reason.
func TestSandboxAndReload(t *testing.T) {
	d := start(t, "[security]\n[recursion]\nenabled = false\n")
	elsewhere := t.TempDir()
	const zone = "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.5\n"
	for _, dir := range []string{d.dir, elsewhere} {
		if err := os.WriteFile(filepath.Join(dir, "new.zone"), []byte(zone), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	with := func(dir string) string {
		return fmt.Sprintf("[security]\n[recursion]\nenabled = false\n[[zone]]\nname = \"new.example.\"\nfile = %q\n", filepath.Join(dir, "new.zone"))
	}
	d.write(with(elsewhere))
	out, code := d.ctl("reload")
	if code != 1 || !strings.Contains(out, elsewhere+": hidden by the sandbox") || !strings.Contains(out, "restart") {
		t.Errorf("a file in another folder: %d, %s", code, out)
	}
	if r := d.ask("ns.new.example.", dns.TypeA); r.Rcode != dns.RcodeRefused {
		t.Errorf("half of it is in force: %v", r)
	}
	d.write(with(d.dir))
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatalf("a file beside the configuration: %d, %s", code, out)
	}
	if r := d.ask("ns.new.example.", dns.TypeA); len(r.Answer) != 1 {
		t.Errorf("the new zone: %v", r)
	}
}

// What the kernel lacks is said, in the log, by status and by doctor, and the rest of the sandbox holds.
func TestSandboxOfOldKernels(t *testing.T) {
	for _, c := range []struct{ lacks, says, holds string }{
		{"landlock_create_ruleset", "sandbox: files are not confined: this kernel has no Landlock", "confined: capabilities, system calls"},
		{"seccomp", "sandbox: system calls are not confined", "confined: capabilities, files"},
	} {
		t.Run(c.lacks, func(t *testing.T) {
			t.Setenv(lackingCall, c.lacks)
			d := tryStart(t, freePort(t), "[recursion]\nenabled = false\n", os.Args[0])
			if d == nil {
				t.Fatal("the port is taken")
			}
			if n := strings.Count(d.log.String(), c.says); n != 1 {
				t.Errorf("%d lines of the log say %q:\n%s", n, c.says, d.log)
			}
			var status control.Status
			d.ctlJSON(&status, "status")
			if status.Sandbox != c.holds || !strings.Contains(strings.Join(status.Warnings, "\n"), c.says) {
				t.Errorf("status: %q, %q", status.Sandbox, status.Warnings)
			}
		})
	}
}

// lackingCall is the environment variable that makes this binary a wrapper: it runs the command that follows on a kernel
// without a system call.
const lackingCall = "HEIMDALL_TEST_LACKING_CALL"

// runWithout does that. It returns if it is not asked to.
func runWithout() {
	call := os.Getenv(lackingCall)
	if call == "" {
		return
	}
	os.Unsetenv(lackingCall)
	runtime.LockOSThread()
	err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: seccomp.Policy{
		DefaultAction: seccomp.ActionAllow,
		Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{call}}},
	}})
	if err == nil {
		err = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
