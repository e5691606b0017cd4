package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"

	"heimdall/core/config"
	"heimdall/ebpf"
)

// xdp is tier 0 as the supervisor runs it: the XDP program with its publisher. A nil xdp,
// and one without a program, do nothing.
type xdp struct {
	s       *Supervisor
	mu      sync.RWMutex  // held to set program, and by those who use it while the process may end
	program *ebpf.Program // nil: off, or not possible on this machine
	nics    []nic         // that the program is attached to
	stop    context.CancelFunc
	stopped chan struct{} // closed when the publisher has ended
	visitor visitor       // of the publisher
}

// nic is a network interface with the program.
type nic struct {
	net.Interface
	mode    ebpf.Mode
	sockets []rawSocket // one for each receive queue; none: kernel sockets only
}

// loadXDP loads and attaches the XDP program and opens the AF_XDP sockets, as xdp.mode and io.backend ask. It runs before
// the shards start, which get these sockets as ports. What this machine cannot do is logged as a warning, and kernel
// sockets do it instead.
func (s *Supervisor) loadXDP() *xdp {
	c := s.config()
	x := &xdp{s: s, visitor: visitor{recurse: c.Recursion.Enabled}}
	if c.XDP.Mode == "off" {
		return x
	}
	if err := x.load(c); err != nil {
		s.warn("the XDP program is off, all queries come through kernel sockets", err)
		x.unload()
		return x
	}
	s.filtered.Store(true)
	x.openSockets(c)
	return x
}

// start does the rest. The shards are running.
func (x *xdp) start() {
	if x.program == nil {
		return
	}
	x.redirect()
	ctx, cancel := context.WithCancel(context.Background())
	x.stop, x.stopped = cancel, make(chan struct{})
	go x.publish(ctx)
	x.s.log.Info("XDP", "interfaces", x.modes(), "packets", x.backend())
}

// modes tells where the program runs, such as "eth0: native".
func (x *xdp) modes() (list []string) {
	for _, n := range x.nics {
		list = append(list, fmt.Sprintf("%s: %v", n.Name, n.mode))
	}
	return list
}

// load loads the program and attaches it to the interfaces that allow it. It fails if none does.
func (x *xdp) load(c *config.Config) (err error) {
	o := ebpf.Options{Epoch: x.s.epoch, Seed: newNameSeed(), Reverse: reversePaths[c.XDP.ReversePath]}
	if c.XDP.AnswerCache {
		o.Entries = c.XDP.AnswerEntries
	}
	if x.program, err = ebpf.Load(o); err != nil {
		return err
	}
	if err = x.configure(c); err != nil {
		return err
	}
	x.prime(c)
	mode := map[string]ebpf.Mode{"auto": ebpf.Auto, "native": ebpf.Native, "generic": ebpf.Generic}[c.XDP.Mode]
	var failed error
	for _, name := range c.XDP.Interfaces {
		card, err := net.InterfaceByName(name)
		if err == nil {
			var got ebpf.Mode
			if got, err = x.program.Attach(card.Index, mode); err == nil {
				x.nics = append(x.nics, nic{Interface: *card, mode: got})
				continue
			}
		}
		if err = fmt.Errorf("%s: %w", name, err); failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		failed = err
	}
	if len(x.nics) == 0 {
		return failed
	}
	if failed != nil {
		x.s.warn("the XDP program is not on all interfaces", failed)
	}
	if o.Reverse != ebpf.ReverseOff {
		if off := ebpf.NotForwarding(os.DirFS("/")); len(off) > 0 {
			x.s.warn("the XDP program finds no way back to clients, so that the kernel's own stack gets their queries",
				fmt.Errorf("xdp.reverse_path = %q takes `%s`", c.XDP.ReversePath, ebpf.ForwardCommand(off)))
		}
	}
	if err := x.program.FollowInterfaces(); err != nil { // publish tries it again
		x.s.warn("the XDP program does not follow the interfaces of this machine", err)
	}
	return nil
}

// reversePaths are the values of xdp.reverse_path.
var reversePaths = map[string]ebpf.ReversePath{"off": ebpf.ReverseOff, "loose": ebpf.ReverseLoose, "strict": ebpf.ReverseStrict}

// clientsOf are the clients that the program treats apart.
func clientsOf(c *config.Config) ebpf.Clients {
	clients := ebpf.Clients{Deny: c.Limit.Deny, Exempt: c.Limit.Exempt}
	if c.Recursion.Enabled {
		clients.Ask = c.Recursion.Allow
	}
	return clients
}

// configure gives the program the configuration at the start.
func (x *xdp) configure(c *config.Config) error {
	return errors.Join(
		x.program.SetPayload(uint16(c.Server.UDPPayload)),
		x.program.SetClients(clientsOf(c)),
		x.program.SetLimits(kernelLimits(c)),
		x.program.EnableAnswers(c.XDP.AnswerCache),
		x.setEndpoints(),
	)
}

// setEndpoints tells the program the listen addresses, with this machine's own in place of the wildcards.
func (x *xdp) setEndpoints() error {
	var list []netip.AddrPort
	var local []net.Addr
	for _, ap := range x.s.config().Server.Listen {
		if !ap.Addr().IsUnspecified() {
			list = append(list, ap)
			continue
		}
		if local == nil {
			var err error
			if local, err = net.InterfaceAddrs(); err != nil {
				return fmt.Errorf("list the addresses that %v stands for: %w", ap, err)
			}
		}
		for _, a := range local {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is4() == ap.Addr().Is4() && !p.Addr().IsLoopback() {
				list = append(list, netip.AddrPortFrom(p.Addr().WithZone(""), ap.Port()))
			}
		}
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	list = slices.Compact(list)
	for _, v6 := range []bool{false, true} {
		// What is beyond the program's bound goes through the sockets.
		n := 0
		list = slices.DeleteFunc(list, func(ap netip.AddrPort) bool {
			if ap.Addr().Is6() == v6 {
				n++
			}
			return ap.Addr().Is6() == v6 && n > ebpf.MaxEndpoints
		})
	}
	return x.program.SetEndpoints(list)
}

// prepare makes what of a configuration the kernel may refuse. nil: there is no program.
func (x *xdp) prepare(c *config.Config) (*ebpf.ClientChange, error) {
	if x == nil {
		return nil, nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.program == nil {
		return nil, nil
	}
	return x.program.PrepareClients(clientsOf(c))
}

// apply takes over a configuration that prepare was called for, after the shards have. The program stays attached; answers
// published under the old configuration are not given any more. All is written to memory that the kernel has, and can only
// fail when the daemon ends.
func (x *xdp) apply(c *config.Config, clients *ebpf.ClientChange) error {
	if clients == nil {
		return nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.program == nil {
		clients.Discard()
		return nil
	}
	err := errors.Join(clients.Apply(), x.program.SetPayload(uint16(c.Server.UDPPayload)), x.program.SetLimits(kernelLimits(c)), x.program.Flush())
	if err != nil {
		x.s.log.Error("the XDP program did not take the new configuration", "error", err)
		return fmt.Errorf("the XDP program did not take the new configuration: %w", err)
	}
	return nil
}

// flush makes all published answers invalid. It is called after the shards' caches were flushed or have got other
// zones: what the publisher has seen before is of the old generation.
func (x *xdp) flush() {
	if x == nil {
		return
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.program == nil {
		return
	}
	if err := x.program.Flush(); err != nil {
		x.s.log.Error("the answers in the kernel are not flushed", "error", err)
	}
}

// close detaches everything. The shards still run: they take over what the program has done.
func (x *xdp) close() {
	if x == nil {
		return
	}
	if x.stop != nil {
		x.stop()
		<-x.stopped
	}
	x.unload()
}

func (x *xdp) unload() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.program != nil {
		x.program.Close()
		x.program = nil
	}
}
