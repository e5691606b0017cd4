package hot

import (
	"context"
	"net"
	"slices"
	"time"

	"heimdall/ebpf"
)

// watchEvery is the time between two looks at the interfaces with the program.
const watchEvery = time.Second

// oneBuffer in octets is the largest MTU with which a packet fits a buffer of any driver that runs programs: a page of 4 KiB
// less the headroom (256), what the kernel keeps behind the packet (320), and the Ethernet header.
const oneBuffer = 3498

// watch follows what others do to the interfaces with the program, until ctx ends. Nothing of that keeps queries from being
// answered: what neither the program nor an AF_XDP socket gets any more comes through the kernel sockets.
func (t *Tier) watch(ctx context.Context) {
	defer close(t.watched)
	seen := slices.Clone(t.cards)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			seen = t.look(seen)
		}
	}
}

// look logs how the interfaces differ from seen. It returns how they are now, without those that the program is no longer
// attached to.
func (t *Tier) look(seen []card) []card {
	gone, err := t.program.Detached()
	if err != nil {
		t.o.Log.Warn("it is not known whether the XDP program is still attached", "error", err)
	}
	seen = slices.DeleteFunc(seen, func(c card) bool {
		if !slices.Contains(gone, c.Index) {
			return false
		}
		t.o.Log.Warn("the XDP program was taken off the interface, or that is gone: its queries come through kernel sockets until a restart", "interface", c.Name)
		t.mu.Lock()
		t.lost = append(t.lost, c.Index)
		t.mu.Unlock()
		return true
	})
	for i := range seen {
		c := &seen[i]
		if now, err := net.InterfaceByIndex(c.Index); err == nil && now.MTU != c.MTU {
			for _, q := range c.queues {
				q.SetMTU(now.MTU)
			}
			if now.MTU > oneBuffer && c.mode == ebpf.Native {
				// Most drivers refuse such an MTU while they have a program that does not suit it. virtio_net does not before
				// Linux 6.3, and drops what is longer than one of its buffers; nor does it let the program go then.
				if err := t.program.Refit(c.Index); err != nil {
					t.o.Log.Warn("the driver drops long packets, as the MTU is too large for it while it has the XDP program: lower the MTU, then restart Heimdall for generic mode",
						"interface", c.Name, "mtu", now.MTU, "error", err)
				}
			}
			t.o.Log.Info("the interface has another MTU", "interface", c.Name, "before", c.MTU, "now", now.MTU)
			c.MTU = now.MTU
		}
		if len(c.queues) == 0 {
			continue
		}
		if now, _, err := queuesOf(c.Name); err == nil && now != c.receive {
			t.o.Log.Warn("the interface has another number of receive queues: kernel sockets take the queries of those without an AF_XDP socket, until a restart",
				"interface", c.Name, "before", c.receive, "now", now, "sockets", len(c.queues))
			c.receive = now
		}
	}
	return seen
}
