package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// patience bounds every wait for a resolver. It is a guard against hanging, not a claim about speed.
const patience = 30 * time.Second

// Files in the lab's folder.
const (
	hintsFile   = "root.hints"
	anchorFile  = "root.anchor"
	configFile  = "heimdalld.toml"
	unboundFile = "unbound.conf"
	kresdFile   = "kresd.conf"
)

// daemon is a resolver that runs in the lab.
type daemon struct {
	cmd    *exec.Cmd
	log    logBuffer
	exited chan struct{}
}

// Heimdalld starts the given binary as a resolver at addr and returns when it answers. More is text for the end
// of its configuration, which is in the table [recursion] there.
func (l *Lab) Heimdalld(ctx context.Context, binary, addr, more string) error {
	text := fmt.Sprintf(`[server]
listen = [%q]

[cpu] # what runs beside the servers does best without a CPU of its own
shards = 1
pin = false

[io] # a question is asked once: it waits however busy the machine is
shed_after = "0s"

[admin]
socket = %q

[recursion]
root_hints = %q
trust_anchors = %q
%s
`, addr, l.Socket(), hintsFile, anchorFile, more)
	if err := os.WriteFile(l.path(configFile), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return l.run(ctx, addr, binary, "-config", l.path(configFile))
}

// Unbound starts Unbound as a resolver at addr and returns when it answers.
func (l *Lab) Unbound(ctx context.Context, addr string, validating bool) error {
	modules := "validator iterator"
	if !validating {
		modules = "iterator"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("start unbound: %w", err)
	}
	text := fmt.Sprintf(`server:
	interface: %s@%s
	access-control: 127.0.0.0/8 allow
	do-not-query-localhost: no
	module-config: %q
	root-hints: %q
	trust-anchor-file: %q
	trust-anchor-signaling: no
	ede: yes
	username: ""
	chroot: ""
	pidfile: ""
	use-syslog: no
	do-daemonize: no
`, host, port, modules, l.path(hintsFile), l.path(anchorFile))
	if err := os.WriteFile(l.path(unboundFile), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return l.run(ctx, addr, "unbound", "-d", "-p", "-c", l.path(unboundFile))
}

// Socket returns the path of the admin socket of heimdalld.
func (l *Lab) Socket() string { return l.path("heimdall.sock") }

// Log returns what the resolvers have printed.
func (l *Lab) Log() string {
	var b strings.Builder
	for _, d := range l.daemons {
		b.WriteString(d.log.String())
	}
	return b.String()
}

// Exited is closed when the first resolver has ended.
func (l *Lab) Exited() <-chan struct{} { return l.daemons[0].exited }

// PIDs returns the process IDs of the resolvers, in the order in which they were started.
func (l *Lab) PIDs() (pids []int) {
	for _, d := range l.daemons {
		pids = append(pids, d.cmd.Process.Pid)
	}
	return pids
}

// run starts a resolver in its namespace and waits for its first answer.
func (l *Lab) run(ctx context.Context, addr, name string, args ...string) error {
	d := &daemon{cmd: l.resolver.command(name, args...), exited: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := startOn(l.CPUs, d.cmd); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	l.daemons = append(l.daemons, d)
	go func() { d.cmd.Wait(); close(d.exited) }()
	// Whether it answers a name that it has to know itself says nothing about the lab, but that it is there.
	probe := new(dns.Msg).SetQuestion("version.bind.", dns.TypeTXT)
	probe.Question[0].Qclass = dns.ClassCHAOS
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s does not answer", name))
	defer cancel()
	for {
		if _, err := l.exchange(probe, "udp", addr); err == nil {
			return nil
		}
		select {
		case <-d.exited:
			return fmt.Errorf("start %s: %s: %s", name, d.cmd.ProcessState, &d.log)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the resolver, gently if that works.
func (d *daemon) stop() error {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
		return nil
	case <-time.After(patience):
	}
	d.cmd.Process.Kill()
	<-d.exited
	return errors.New("the resolver did not end on SIGTERM")
}

// logBuffer keeps the first part of what a resolver prints. Safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// maxLog is the size in bytes of what is kept of a resolver's log.
const maxLog = 1 << 20

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Write(p[:min(len(p), maxLog-b.buf.Len())])
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
