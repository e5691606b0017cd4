package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is a guard against hanging, not a claim about speed.
const patience = 30 * time.Second

var built string // folder of the binaries, if a test needed them

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "heimdall-lab-test-")
	if err != nil {
		return "", err
	}
	built = dir
	out, err := exec.Command("go", "build", "-o", dir+"/", "heimdall/cmd/heimdall-lab", "heimdall/cmd/heimdalld", "heimdall/cmd/heimdallctl", "heimdall/cmd/heimdall-bench").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, os.Chmod(dir, 0o755)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// binaries builds the lab, the daemon, the generator and heimdallctl once, where every user may run them.
func binaries(t *testing.T) (lab string) {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "heimdall-lab")
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make network namespaces")
	}
}

// left lists what the process has left behind.
func left(t *testing.T, pid int, tmp string) (all []string) {
	t.Helper()
	for _, pattern := range []string{fmt.Sprintf("/run/netns/heimdall-lab-%d-*", pid), tmp + "/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// start starts the lab, with a folder of its own for temporary files. The wait for its end is the caller's.
func start(t *testing.T, binary string, args ...string) (cmd *exec.Cmd, out *bufio.Reader, errs *bytes.Buffer, tmp string) {
	t.Helper()
	cmd, errs, tmp = exec.Command(binary, args...), new(bytes.Buffer), t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	cmd.Stderr = errs
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(patience, func() { cmd.Process.Signal(syscall.SIGTERM) })
	t.Cleanup(func() { guard.Stop() })
	return cmd, bufio.NewReader(pipe), errs, tmp
}

func TestRootSignals(t *testing.T) {
	needRoot(t)
	binary := binaries(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		cmd, out, errs, tmp := start(t, binary)
		text, err := out.ReadString('>')
		if err != nil || !strings.HasSuffix(text, "Ctrl-C ends it. >") {
			t.Errorf("it printed no prompt but %q: %v: %s", text, err, errs)
		}
		for _, want := range []string{"www.expired.alpha. A", "# SERVFAIL EDE 7", "ip netns exec heimdall-lab-", "dig @127.0.0.1"} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %q:\n%s", want, text)
			}
		}
		cmd.Process.Signal(sig)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v: %s", sig, err, errs)
		}
		if all := left(t, cmd.Process.Pid, tmp); len(all) > 0 {
			t.Errorf("%v leaves %q", sig, all)
		}
	}
}

// A signal at any time, while it still makes things, leaves nothing.
func TestRootEarlySignals(t *testing.T) {
	needRoot(t)
	binary := binaries(t)
	for wait := 10 * time.Millisecond; wait < time.Second; wait += wait / 2 {
		cmd, out, errs, tmp := start(t, binary)
		time.Sleep(wait)
		cmd.Process.Signal(syscall.SIGINT)
		out.WriteTo(new(bytes.Buffer))
		err := cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil && !status.Signaled() {
			t.Errorf("after %v: %v: %s", wait, err, errs)
		}
		if all := left(t, cmd.Process.Pid, tmp); len(all) > 0 {
			t.Errorf("after %v: leaves %q", wait, all)
		}
	}
}

// Errors leave nothing either: a daemon that is none, and a terminal that is gone.
func TestRootErrors(t *testing.T) {
	needRoot(t)
	binary := binaries(t)
	cmd, out, errs, tmp := start(t, binary, "-heimdalld", "/bin/false")
	out.WriteTo(new(bytes.Buffer))
	if err := cmd.Wait(); err == nil || !strings.Contains(errs.String(), "start /bin/false: exit status 1") {
		t.Errorf("%v: %s", err, errs)
	}
	if all := left(t, cmd.Process.Pid, tmp); len(all) > 0 {
		t.Errorf("leaves %q", all)
	}

	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	gone := exec.Command(binary)
	tmp = t.TempDir()
	gone.Env, gone.Stdout = append(os.Environ(), "TMPDIR="+tmp), write
	if err := gone.Run(); err == nil || gone.ProcessState.ExitCode() != 1 {
		t.Errorf("without a reader: %v", err)
	}
	write.Close()
	if all := left(t, gone.Process.Pid, tmp); len(all) > 0 {
		t.Errorf("leaves %q", all)
	}
}

func TestRootCheck(t *testing.T) {
	needRoot(t)
	cmd, out, errs, _ := start(t, binaries(t), "-check")
	var text bytes.Buffer
	out.WriteTo(&text)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s\n%s", err, errs, &text)
	}
}

// ordinary returns a command of a user who is not root.
func ordinary(t *testing.T, words ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	tmp := t.TempDir()
	if os.Geteuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := os.Chown(tmp, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(tmp), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	return cmd
}

// An ordinary user gets a lab in a user namespace, where those are allowed, and else one line that says what to do.
func TestOrdinaryUser(t *testing.T) {
	binary := binaries(t)
	allowed := ordinary(t, "unshare", "--map-root-user", "--net", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run").Run() == nil
	r := begins(t, ordinary(t, binary))
	if !allowed {
		<-r.exited
		if out := r.out.String(); !strings.Contains(out, "the lab takes root, or user namespaces") || strings.Count(out, "\n") != 1 {
			t.Errorf("it says:\n%s", out)
		}
		return
	}
	r.says(t, "Ctrl-C ends it. >")
	if !strings.Contains(r.out.String(), "Without root there are kernel sockets only") {
		t.Error("it does not say what takes root")
	}
	// What it prints works in another terminal.
	line := regexp.MustCompile(`(?m)^ *(nsenter .* \+dnssec www\.nsec\.alpha\. A) .*# NOERROR AD 192\.0\.2\.1`).FindStringSubmatch(r.out.String())
	if line == nil {
		t.Fatal("it does not say what to ask")
	}
	out, err := ordinary(t, strings.Fields(line[1])...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "flags: qr rd ra ad") || !strings.Contains(string(out), "192.0.2.1") {
		t.Errorf("%s: %v: %s", line[1], err, out)
	}
	pid := r.Process.Pid
	syscall.Kill(pid, syscall.SIGINT)
	select {
	case <-r.exited:
	case <-time.After(patience):
		t.Fatal("Ctrl-C does not end it")
	}
	if code := r.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Where user namespaces cannot be made, here for want of unshare(1), one line says what to do.
func TestOrdinaryUserWithoutNamespaces(t *testing.T) {
	cmd := ordinary(t, binaries(t))
	cmd.Env = append(cmd.Env, "PATH=/nonexistent")
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "the lab takes root, or user namespaces") || bytes.Count(out, []byte("\n")) != 1 {
		t.Errorf("%v: %s", err, out)
	}
}

// With -cold the lab writes the names, starts both resolvers, and tells how to measure them.
func TestRootCold(t *testing.T) {
	needRoot(t)
	file := filepath.Join(t.TempDir(), "names")
	args := []string{"-cold", "20", "-names", file}
	if _, err := exec.LookPath("unbound"); err == nil {
		args = append(args, "-resolver", "heimdalld,unbound")
	}
	cmd, out, errs, tmp := start(t, binaries(t), args...)
	text, err := out.ReadString('>')
	if err != nil || !strings.Contains(text, "heimdall-bench -scenario cold -names "+file+" -server heimdalld=127.0.0.1:53 -pid heimdalld=") {
		t.Errorf("%v: it does not tell how to measure: %s\n%s", err, text, errs)
	}
	names, err := os.ReadFile(file)
	if err != nil || bytes.Count(names, []byte("\n")) != 20 || !bytes.HasPrefix(names, []byte("www.z0.cold. A 10.0.0.0\n")) {
		t.Errorf("names: %v: %s", err, names)
	}
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, errs)
	}
	if all := left(t, cmd.Process.Pid, tmp); len(all) > 0 {
		t.Errorf("leaves %q", all)
	}
}

// With -measure it measures all resolvers that are there, and ends.
func TestRootMeasure(t *testing.T) {
	needRoot(t)
	resolvers := []string{"heimdalld"}
	for _, other := range []string{"unbound", "kresd"} {
		if _, err := exec.LookPath(other); err == nil {
			resolvers = append(resolvers, other)
		}
	}
	for _, validate := range []bool{true, false} {
		cmd, out, errs, tmp := start(t, binaries(t), "-cold", "20", "-measure", "2", "-resolver", strings.Join(resolvers, ","), fmt.Sprintf("-validate=%v", validate))
		var text bytes.Buffer
		out.WriteTo(&text)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s\n%s", err, errs, &text)
		}
		for _, name := range resolvers {
			// Each has resolved all names.
			if !regexp.MustCompile(`(?m)^ *` + name + ` .* 0\.000 `).Match(text.Bytes()) {
				t.Errorf("validation %v: no figures of %s:\n%s", validate, name, &text)
			}
		}
		if all := left(t, cmd.Process.Pid, tmp); len(all) > 0 {
			t.Errorf("leaves %q", all)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	binary := binaries(t)
	for _, args := range [][]string{
		{"-measure", "1"}, {"-measure", "-1", "-cold", "10"}, {"-measure", "1", "-cold", "10", "-resolver", "none"},
		{"-measure", "1", "-cold", "10", "-scenario", "flood"}, {"-measure", "1", "-cold", "10", "-check"}, {"-check", "-resolver", "none"}, {"-check", "-validate=false"},
		{"-names", "file"}, {"-cold", "-1"}, {"more"},
	} {
		cmd := exec.Command(binary, args...)
		if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "usage:") {
			t.Errorf("%q: %v: %s", args, err, out)
		}
	}
}
