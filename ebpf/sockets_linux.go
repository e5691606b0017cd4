package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// xdpInterfaces is the variable that says where the sockets of each interface stand.
type xdpInterfaces [64]xdpInterface

// SetSockets gives the queries that come on queue q of a network interface to the AF_XDP socket sockets[q], a
// descriptor bound to just that queue; -1: to the kernel's stack, as on all other queues. Only what is DNS, whole and
// to an endpoint, goes there; what the program answers or drops does not. A socket leaves when it is closed. It may
// be called once for each interface.
func (p *Program) SetSockets(ifindex int, sockets []int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.objs.Sockets.Type() != ebpf.XSKMap {
		return fmt.Errorf("set the AF_XDP sockets of interface %d: %w: the kernel was built without CONFIG_XDP_SOCKETS", ifindex, ErrNotSupported)
	}
	var first uint32
	n := len(p.interfaces)
	if n > 0 {
		first = p.interfaces[n-1].First + p.interfaces[n-1].Queues
	}
	var list xdpInterfaces
	if n == len(list) || first+uint32(len(sockets)) > p.objs.Sockets.MaxEntries() {
		return fmt.Errorf("set the AF_XDP sockets of interface %d: the program knows %d interfaces and %d queues at most", ifindex, len(list), p.objs.Sockets.MaxEntries())
	}
	for q, fd := range sockets {
		if fd < 0 {
			continue
		}
		if err := p.objs.Sockets.Update(first+uint32(q), uint32(fd), ebpf.UpdateAny); err != nil {
			return explain(fmt.Sprintf("set the AF_XDP socket of interface %d, queue %d", ifindex, q), err)
		}
	}
	interfaces := append(p.interfaces, xdpInterface{Index: uint32(ifindex), First: first, Queues: uint32(len(sockets))})
	copy(list[:], interfaces)
	// The new element is there before it counts.
	if err := p.objs.Interfaces.Set(list); err != nil {
		return fmt.Errorf("set the AF_XDP sockets of interface %d: %w", ifindex, err)
	}
	if err := p.objs.InterfaceCount.Set(uint32(len(interfaces))); err != nil {
		return fmt.Errorf("set the AF_XDP sockets of interface %d: %w", ifindex, err)
	}
	p.interfaces = interfaces
	return nil
}
