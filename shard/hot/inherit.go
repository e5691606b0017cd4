package hot

import (
	"fmt"
	"net"

	"heimdall/ebpf"
)

// Link is what attaches the program to a network interface, for another process.
type Link struct {
	FD      int // the Tier's own
	Ifindex int
	Mode    ebpf.Mode
}

// Links lists them.
func (t *Tier) Links() (list []Link) {
	t.use(func(p *ebpf.Program) error {
		for _, l := range p.Links() {
			for i := range t.cards {
				if t.cards[i].Index == l.Ifindex {
					list = append(list, Link{l.FD, l.Ifindex, t.cards[i].mode})
				}
			}
		}
		return nil
	})
	return list
}

// Inherit gets the program ready to take the place of another process's on the interface of a link, before Attach, which leaves
// that interface as it is. It gets there with TakeOver. The descriptor stays the caller's.
func (t *Tier) Inherit(l Link) error {
	nic, err := net.InterfaceByIndex(l.Ifindex)
	if err != nil {
		return fmt.Errorf("look up interface %d: %w", l.Ifindex, err)
	}
	if err := t.program.Inherit(l.FD, l.Ifindex, l.Mode); err != nil {
		return err
	}
	t.cards = append(t.cards, card{Interface: *nic, mode: l.Mode, inherited: true})
	return nil
}

// TakeOver puts the program in the place of that of the process before, or back after another one that has failed to.
func (t *Tier) TakeOver() {
	if err := t.use((*ebpf.Program).TakeOver); err != nil {
		t.o.Warn("not all interfaces have this process's XDP program: their queries come through kernel sockets", err)
	}
}

// ReleaseQueues has queries come through kernel sockets, for another process that wants the receive queues: the kernel gives each to
// one process. retire is called for each queue that this one has: it has the port read to its end and retired, on the thread of
// the shard that has it. It tells whether there were any.
func (t *Tier) ReleaseQueues(retire func(q Queue)) bool {
	list := t.Queues()
	if len(list) == 0 {
		return false
	}
	if err := t.use((*ebpf.Program).ReleaseSockets); err != nil {
		t.o.Log.Warn("the XDP program may lose queries to AF_XDP sockets that are closed", "error", err)
	}
	ebpf.Settle()
	for _, q := range list {
		retire(q)
	}
	t.released.Store(true)
	return true
}
