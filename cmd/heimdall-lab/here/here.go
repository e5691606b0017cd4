// Package here starts the daemon on this machine itself, finds out what it can do here, and tells what to ask it.
package here

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/config"
)

// Options say what is started. All fields are needed.
type Options struct {
	Heimdalld   string // path of the binary
	Heimdallctl string // likewise, as it is printed
	Config      string // path of the configuration file
	Log         io.Writer
}

// startTime is a guard against hanging, not a claim about speed; so is answerTime for one answer, which is more than
// resolver.timeout by default.
const (
	startTime  = 30 * time.Second
	answerTime = 15 * time.Second
)

// Run starts the daemon and tells on out what works. It returns when ctx ends and the daemon has ended, or when the
// daemon ends by itself, with an error.
func Run(ctx context.Context, o Options, out io.Writer) error {
	data, err := os.ReadFile(o.Config)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	c, _ := config.Load(o.Config, data) // What is wrong with it the daemon says.
	if len(c.Server.Listen) == 0 {
		return fmt.Errorf("%s: server.listen is empty: name an address", o.Config)
	}
	daemon := exec.Command(o.Heimdalld, "-config", o.Config)
	daemon.Stdout, daemon.Stderr = o.Log, o.Log
	// Ctrl-C is for this process, which ends the daemon; and so does its death.
	daemon.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	exited := make(chan struct{})
	go func() { daemon.Wait(); close(exited) }()
	end := func() {
		daemon.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(startTime):
			daemon.Process.Kill()
			<-exited
		}
	}
	p := probe{config: c, server: reachable(c.Server.Listen[0])}
	if err := p.await(ctx, exited); err != nil {
		end()
		return err
	}
	if _, err := io.WriteString(out, p.report(o)); err != nil {
		end()
		return err
	}
	select {
	case <-ctx.Done():
		end()
		return context.Cause(ctx)
	case <-exited:
		return fmt.Errorf("the daemon has ended: %s", daemon.ProcessState)
	}
}

// errEnded is what is left to say when the daemon has logged why it does not start.
var errEnded = errors.New("the daemon does not start")

// await waits until the daemon answers.
func (p *probe) await(ctx context.Context, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("nobody answers at %s", p.server))
	defer cancel()
	q := new(dns.Msg).SetQuestion("version.bind.", dns.TypeTXT)
	q.Question[0].Qclass = dns.ClassCHAOS
	for {
		client := dns.Client{Timeout: time.Second}
		if _, _, err := client.Exchange(q, p.server); err == nil {
			select {
			case <-exited: // Somebody else is there.
				return errEnded
			default:
				return nil
			}
		}
		select {
		case <-exited:
			return errEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// reachable returns where a server that listens at an address is asked.
func reachable(a netip.AddrPort) string {
	ip := a.Addr()
	switch {
	case !ip.IsUnspecified():
	case ip.Is4():
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		ip = netip.IPv6Loopback()
	}
	return net.JoinHostPort(ip.String(), fmt.Sprint(a.Port()))
}
