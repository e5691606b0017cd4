package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace with a name that `ip netns` knows.
type namespace string

// namespaceDir is where ip-netns(8) keeps the names.
const namespaceDir = "/run/netns"

// ip runs ip(8) once for each line.
func ip(lines ...string) error {
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	cmd.SysProcAttr = detached()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run ip: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// detached keeps a child process out of the way of Ctrl-C, and ends it if this process is killed.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// connect makes two namespaces that reach each other and nothing else. Where a step does not work, remove takes
// back the others.
func connect(servers, resolver namespace, addrs []string) error {
	lines := []string{
		"netns add " + string(servers),
		"netns add " + string(resolver),
		fmt.Sprintf("link add lab netns %s type veth peer name lab netns %s", servers, resolver),
	}
	if err := ip(lines...); err != nil {
		return err
	}
	lines = []string{"link set lo up", "link set lab up"}
	for _, a := range addrs {
		lines = append(lines, "addr add "+a+" dev lab"+noDAD(a))
	}
	if err := servers.ip(lines...); err != nil {
		return err
	}
	lines = []string{"link set lo up", "link set lab up"}
	for _, a := range []string{resolverIPv4, resolverIPv6} {
		lines = append(lines, "addr add "+a+" dev lab"+noDAD(a))
	}
	return resolver.ip(lines...)
}

// noDAD leaves out the detection of duplicate IPv6 addresses, which takes seconds.
func noDAD(addr string) string {
	if strings.Contains(addr, ":") {
		return " nodad"
	}
	return ""
}

// The resolver's addresses, at the end of the servers' networks.
const (
	resolverIPv4 = "198.18.255.254/16"
	resolverIPv6 = "2001:db8:18::ffff:ffff/64"
)

// ip runs ip(8) inside the namespace, once for each line.
func (n namespace) ip(lines ...string) error {
	cmd := exec.Command("ip", "-netns", string(n), "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	cmd.SysProcAttr = detached()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run ip in %s: %w: %s", n, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// remove removes the namespace if it is there, and with it its interfaces.
func (n namespace) remove() error {
	if _, err := os.Stat(n.path()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return ip("netns del " + string(n))
}

func (n namespace) path() string { return filepath.Join(namespaceDir, string(n)) }

// Within calls f on a thread that is in the network namespace that ip-netns(8) knows by that name. Sockets that f
// opens stay there.
func Within(name string, f func() error) error { return namespace(name).within(f) }

// within is Within for a namespace of the lab.
func (n namespace) within(f func() error) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("the function has ended its goroutine")
		defer func() { done <- err }()
		// The thread is not unlocked if it cannot go back: it then ends with the goroutine.
		runtime.LockOSThread()
		home, e := os.Open("/proc/thread-self/ns/net")
		if e != nil {
			err = fmt.Errorf("open the present namespace: %w", e)
			return
		}
		defer home.Close()
		there, e := os.Open(n.path())
		if e != nil {
			err = fmt.Errorf("open namespace %s: %w", n, e)
			return
		}
		defer there.Close()
		if e := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); e != nil {
			err = fmt.Errorf("enter namespace %s: %w", n, e)
			return
		}
		defer func() {
			if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
				runtime.UnlockOSThread()
			}
		}()
		err = f()
	}()
	return <-done
}

// command is a program to be run in the namespace.
func (n namespace) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("ip", append([]string{"netns", "exec", string(n), name}, args...)...)
	cmd.SysProcAttr = detached()
	return cmd
}
