package supervisor

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"heimdall/core/config"
	"heimdall/core/control"
	"heimdall/shard/anchors"
	"heimdall/shard/diskfile"
	"heimdall/shard/worker"
)

// CheckMachine finds what start-up would find on this machine beside what Check does: addresses and ports that it cannot
// have, and a place where no admin socket can be. What is open already because the daemon of this configuration runs,
// by the word of its admin socket, is no fault, and is left alone. Warnings are about what start-up goes on without.
func CheckMachine(c *config.Config) (warnings []string, err error) {
	running := findRunning(c.Admin.Socket)
	var errs []error
	for i, addr := range c.Server.Listen {
		if lacks(c, addr) || running.listens(addr) {
			continue
		}
		if err := checkAddress(c, addr); err != nil && !(running.holds(addr) && errors.Is(err, syscall.EADDRINUSE)) {
			errs = append(errs, c.Problem(config.Element("server.listen", i), "%v", err))
		}
	}
	if m := c.Admin.Metrics; m.IsValid() && running == nil {
		if l, err := net.Listen("tcp", m.String()); err != nil {
			errs = append(errs, c.Problem("admin.metrics", "%v", advise(err, m)))
		} else {
			l.Close()
		}
	}
	if running == nil {
		errs = append(errs, checkSocket(c))
	}
	return checkOptional(c), errors.Join(errs...)
}

// checkAddress opens sockets at an address as start-up does. One that another check has open for a moment is waited for.
func checkAddress(c *config.Config, addr netip.AddrPort) (err error) {
	for range 10 {
		if err = alone(c, addr); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	l, err := listenTCP(c, addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// checkSocket finds what keeps the admin socket from being opened.
func checkSocket(c *config.Config) error {
	path := c.Admin.Socket
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return c.Problem("admin.socket", "%v", err)
	} else if !info.IsDir() {
		return c.Problem("admin.socket", "%s is no folder", dir)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return c.Problem("admin.socket", "%s exists and is no socket", path)
	}
	if err := diskfile.Writable(dir); err != nil {
		return c.Problem("admin.socket", "no socket can be made in %s: %v; give the daemon's user the right to write there, or choose another folder", dir, err)
	}
	return nil
}

// checkOptional finds what start-up would warn of and go on without.
func checkOptional(c *config.Config) (warnings []string) {
	warn := func(key, format string, args ...any) {
		warnings = append(warnings, c.Problem(key, format, args...).Error())
	}
	if c.XDP.Mode != "off" {
		for i, name := range c.XDP.Interfaces {
			if _, err := net.InterfaceByName(name); err != nil {
				warn(config.Element("xdp.interfaces", i), "there is no interface %s: the XDP program does not run there; `ip -br link` lists those there are", name)
			}
		}
	}
	if file := c.Recursion.TrustAnchorState; file != "" && c.Recursion.Validation {
		if err := diskfile.Writable(filepath.Dir(file)); err != nil {
			warn("recursion.trust_anchor_state", "the state cannot be stored in %s: %v; give the daemon's user the right to write there", filepath.Dir(file), err)
		}
		if err := anchors.CheckState(file); err != nil {
			warn("recursion.trust_anchor_state", "%v; the update begins anew", err)
		}
	}
	return warnings
}

// runningDaemon is what the daemon at an admin socket says of itself; nil: none runs there.
type runningDaemon struct {
	listen []netip.AddrPort
}

// listens tells whether the daemon has an address open.
func (r *runningDaemon) listens(addr netip.AddrPort) bool {
	return r != nil && slices.Contains(r.listen, addr)
}

// holds tells whether the daemon is at an address's port, so that what is in its way there may be the daemon's.
func (r *runningDaemon) holds(addr netip.AddrPort) bool {
	return r != nil && slices.ContainsFunc(r.listen, func(a netip.AddrPort) bool { return a.Port() == addr.Port() })
}

// findRunning asks who listens at an admin socket.
func findRunning(path string) *runningDaemon {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(worker.CommandTime))
	st, err := control.NewClient(conn).Status()
	if err != nil {
		return nil
	}
	r := new(runningDaemon)
	for _, text := range st.Listen {
		if a, err := netip.ParseAddrPort(text); err == nil {
			r.listen = append(r.listen, a)
		}
	}
	return r
}
