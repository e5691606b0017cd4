package supervisor

import (
	"errors"
	"fmt"
	"slices"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/control"
	"heimdall/ebpf"
	"heimdall/netio/xsk"
	"heimdall/shard"
)

// rawSocket is an AF_XDP socket of one receive queue. Its worker has it among its ports.
type rawSocket struct {
	port  *xsk.Port
	queue int
	shard int
	index int // among the ports of the worker
}

// openSockets opens an AF_XDP socket for each receive queue, if io.backend wants them and this machine can do it. It
// is called before the shards start, which get the sockets as ports behind those of the listen addresses. All queues
// have one or none has.
func (x *xdp) openSockets(c *config.Config) {
	if x.program == nil || !x.wantsSockets(c) {
		return
	}
	var err error
	for i := range x.nics {
		if err = x.openQueues(c, &x.nics[i]); err != nil {
			break
		}
	}
	if err == nil {
		if c.XDP.Steer == "name" && len(x.s.workers()) > 1 {
			x.s.warn("AF_XDP: the network card chooses the shard by the receive queue, not by the name", nil)
		}
		return
	}
	for i := range x.nics {
		x.nics[i].sockets = nil
	}
	for _, w := range x.s.workers() {
		w.closePorts(len(c.Server.Listen))
	}
	x.s.warn("AF_XDP is off, all queries come through kernel sockets", err)
}

// wantsSockets decides for "auto": AF_XDP is worth it in native mode, and cannot steer by name.
func (x *xdp) wantsSockets(c *config.Config) bool {
	switch c.IO.Backend {
	case "xsk":
		return true
	case "auto":
		for _, n := range x.nics {
			if n.mode != ebpf.Native {
				return false
			}
		}
		return c.XDP.Steer != "name" || len(x.s.workers()) == 1
	}
	return false
}

// openQueues opens the sockets of one interface.
func (x *xdp) openQueues(c *config.Config, n *nic) error {
	queues, err := receiveQueues(n.Name)
	if err != nil {
		return err
	}
	for q := range queues {
		owner := x.s.ownerOf(n.Name, q)
		w := x.s.workers()[owner]
		mem, err := affinity.MapLocal(w.seats.wanted().Node, xsk.MemorySize, c.Memory.HugePages)
		if err != nil {
			return err
		}
		w.umems = append(w.umems, mem)
		o := xsk.Options{
			Interface: n.Index, Queue: q, MTU: n.MTU, Memory: mem, Copy: n.mode != ebpf.Native,
			BusyPoll: c.IO.BusyPoll, Batch: c.IO.Batch, Seed: newSeed(),
		}
		for i, addr := range c.Server.Listen {
			o.Ways = append(o.Ways, xsk.Way{Addr: addr, Port: w.opt.Ports[i]})
		}
		p, err := xsk.Open(o)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		w.opt.Ports = append(w.opt.Ports, p)
		for _, text := range p.Warnings() {
			x.s.warn(text, nil)
		}
		n.sockets = append(n.sockets, rawSocket{p, q, owner, len(w.opt.Ports) - 1})
	}
	return nil
}

// redirect has the program give the queries to the sockets. The shards run.
func (x *xdp) redirect() {
	if x.program == nil {
		return
	}
	var errs []error
	for _, n := range x.nics {
		if len(n.sockets) == 0 {
			continue
		}
		var fds []int
		for _, r := range n.sockets {
			fds = append(fds, r.port.FD())
		}
		errs = append(errs, x.program.SetSockets(n.Index, fds))
	}
	if err := errors.Join(errs...); err != nil {
		x.s.warn("not all AF_XDP sockets are in use, kernel sockets take what they do not", err)
	}
}

// raw tells whether any receive queue has an AF_XDP socket.
func (x *xdp) raw() bool {
	return x != nil && slices.ContainsFunc(x.nics, func(n nic) bool { return len(n.sockets) > 0 })
}

// backend tells operators how queries come.
func (x *xdp) backend() string {
	if x.raw() {
		return "AF_XDP and kernel sockets"
	}
	return "kernel sockets"
}

// queues lists the receive queues of a shard.
func (x *xdp) queues(id int, snap *shard.Snapshot) (list []control.Queue) {
	if x == nil {
		return nil
	}
	for _, n := range x.nics {
		for _, r := range n.sockets {
			if r.shard == id {
				c := &snap.Each[r.index]
				list = append(list, control.Queue{
					Interface: n.Name, Queue: r.queue, ZeroCopy: r.port.ZeroCopy(), Received: c.Received, Sent: c.Sent, Drops: c.QueueDrops,
				})
			}
		}
	}
	return list
}

// closePorts closes the ports from number first on, and gives the memory of the AF_XDP sockets back, which are the
// last of them.
func (w *worker) closePorts(first int) {
	for _, p := range w.opt.Ports[min(first, len(w.opt.Ports)):] {
		p.Close()
	}
	w.opt.Ports = w.opt.Ports[:min(first, len(w.opt.Ports))]
	for _, mem := range w.umems {
		affinity.Unmap(mem)
	}
	w.umems = nil
}
