package ebpf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
)

// xdpInterfaces is the variable that says what is special about network interfaces.
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
	for _, i := range p.interfaces {
		first = max(first, i.First+i.Queues)
	}
	if first+uint32(len(sockets)) > p.objs.Sockets.MaxEntries() {
		return fmt.Errorf("set the AF_XDP sockets of interface %d: the program knows %d queues at most", ifindex, p.objs.Sockets.MaxEntries())
	}
	for q, fd := range sockets {
		if fd < 0 {
			continue
		}
		if err := p.objs.Sockets.Update(first+uint32(q), uint32(fd), ebpf.UpdateAny); err != nil {
			return explain(fmt.Sprintf("set the AF_XDP socket of interface %d, queue %d", ifindex, q), err)
		}
	}
	err := p.changeInterface(ifindex, func(i *xdpInterface) { i.First, i.Queues = first, uint32(len(sockets)) })
	if err != nil {
		return fmt.Errorf("set the AF_XDP sockets of interface %d: %w", ifindex, err)
	}
	return nil
}

// note tells the program of a network interface that it gets attached to. Call it with p.mu locked.
func (p *Program) note(ifindex int, veth bool, mode Mode) error {
	flag := map[bool]uint16{true: 1}
	if !veth && mode != Generic && !slices.ContainsFunc(p.interfaces, func(i xdpInterface) bool { return i.Index == uint32(ifindex) }) {
		return nil // there is nothing special about it
	}
	err := p.changeInterface(ifindex, func(i *xdpInterface) { i.Veth, i.Generic = flag[veth], flag[mode == Generic] })
	if err != nil {
		return fmt.Errorf("tell the XDP program of interface %d: %w", ifindex, err)
	}
	return nil
}

// changeInterface changes what the program knows of a network interface. Call it with p.mu locked.
func (p *Program) changeInterface(ifindex int, change func(*xdpInterface)) error {
	var list xdpInterfaces
	n := copy(list[:], p.interfaces)
	at := 0
	for at < n && list[at].Index != uint32(ifindex) {
		at++
	}
	if at == len(list) {
		return fmt.Errorf("the program knows %d interfaces at most", len(list))
	}
	list[at].Index = uint32(ifindex)
	change(&list[at])
	n = max(n, at+1)
	// A new element is there before it counts.
	if err := errors.Join(p.objs.Interfaces.Set(list), p.objs.InterfaceCount.Set(uint32(n))); err != nil {
		return err
	}
	p.interfaces = append(p.interfaces[:0], list[:n]...)
	return nil
}
