package ebpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Link is what attaches the program to a network interface, for another process.
type Link struct {
	FD      int // the Program's own
	Ifindex int
}

// Links lists them in the order of the attachments.
func (p *Program) Links() (list []Link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, l := range p.links {
		if d, ok := l.(interface{ FD() int }); ok {
			list = append(list, Link{d.FD(), p.attached[i]})
		}
	}
	return list
}

// Inherit gets the program ready to take the place of another process's on a network interface, in the mode in which that runs.
// It does so with TakeOver. fd is the descriptor of the link, which stays the caller's: the interface keeps a program for
// as long as one of the two processes has the link open.
func (p *Program) Inherit(fd, ifindex int, mode Mode) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	nic, err := netlink.LinkByIndex(ifindex)
	if err != nil {
		return fmt.Errorf("look up interface %d: %w", ifindex, err)
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("inherit a link: %w", err)
	}
	l, err := link.NewFromFD(own) // which owns it from now on
	if err != nil {
		return fmt.Errorf("inherit a link: %w", err)
	}
	info, err := l.Info()
	if err == nil {
		if x := info.XDP(); x == nil || x.Ifindex != uint32(ifindex) {
			err = errors.New("it is not attached there")
		} else {
			err = p.note(ifindex, nic.Type() == "veth", mode)
		}
	}
	if err != nil {
		l.Close()
		return fmt.Errorf("inherit the link of interface %d: %w", ifindex, err)
	}
	p.links, p.attached = append(p.links, l), append(p.attached, ifindex)
	return nil
}

// TakeOver puts the program in the place of what is attached by its links, in one step for each interface: no packet passes
// without a program.
func (p *Program) TakeOver() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for i, l := range p.links {
		if err := l.Update(p.objs.Heimdall); err != nil {
			errs = append(errs, explain(fmt.Sprintf("put the program on interface %d", p.attached[i]), err))
		}
	}
	return errors.Join(errs...)
}

// ReleaseSockets has the program give what comes on all queues to the kernel's stack. What it has given to the AF_XDP sockets before
// is in their rings after Settle.
func (p *Program) ReleaseSockets() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, nic := range append([]xdpInterface(nil), p.interfaces...) {
		if nic.Queues > 0 {
			errs = append(errs, p.changeInterface(int(nic.Index), func(i *xdpInterface) { i.Queues = 0 }))
		}
	}
	return errors.Join(errs...)
}
