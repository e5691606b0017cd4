package ebpf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Attach attaches the program to the network interface of that index and returns the mode in which it runs. refused says
// why that is not the better one, where both are allowed. It stays until Close or the end of the process, however that
// comes.
func (p *Program) Attach(ifindex int, mode Mode) (got Mode, refused, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	nic, err := netlink.LinkByIndex(ifindex)
	if err != nil {
		return mode, nil, fmt.Errorf("look up interface %d: %w", ifindex, err)
	}
	try := []Mode{mode}
	if mode == Auto {
		try = []Mode{Native, Generic}
	}
	for _, m := range try {
		flags := link.XDPDriverMode
		if m == Generic {
			flags = link.XDPGenericMode
		}
		var l link.Link
		err := p.note(ifindex, nic.Type() == "veth", m)
		if m == Native && err == nil {
			err = spareQueues(nic)
		}
		if err == nil {
			l, err = link.AttachXDP(link.XDPOptions{Program: p.objs.Heimdall, Interface: ifindex, Flags: flags})
		}
		if err == nil {
			p.links = append(p.links, l)
			p.attached = append(p.attached, ifindex)
			return m, refused, nil
		}
		err = explain(fmt.Sprintf("attach in %v mode (MTU %d)", m, nic.Attrs().MTU), err)
		if refused != nil {
			err = fmt.Errorf("%w; %w", refused, err)
		}
		refused = err
	}
	return mode, nil, refused
}

// Refit has the driver look at the program again, after its interface has got another MTU. An error says that it would not take
// it with that. For a moment the kernel's stack gets all packets. If the program cannot be put back, nothing stays attached.
func (p *Program) Refit(ifindex int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.attached, ifindex)
	if i < 0 {
		return nil
	}
	other, err := passAll(takesFrags())
	if err != nil {
		return fmt.Errorf("load a program to try: %w", err)
	}
	defer other.Close()
	if err := p.links[i].Update(other); err != nil {
		return explain("try the MTU", err)
	}
	if err := p.links[i].Update(p.objs.Heimdall); err != nil {
		// Detached then tells of it.
		return errors.Join(explain("put the program back", err), p.links[i].Detach())
	}
	return nil
}

// Detached lists the interfaces that the program was attached to and is not any more: somebody has taken it off, or the
// interface is gone.
func (p *Program) Detached() (list []int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, l := range p.links {
		info, err := l.Info()
		if err != nil {
			return nil, fmt.Errorf("ask for the link of interface %d: %w", p.attached[i], err)
		}
		if x := info.XDP(); x != nil && x.Ifindex == 0 {
			list = append(list, p.attached[i])
		}
	}
	return list, nil
}

// explain adds to an error of the kernel what it means here, in one line, and ErrNotSupported where the
// machine is at fault.
func explain(what string, err error) error {
	var rejected *ebpf.VerifierError
	why := ""
	switch {
	case errors.As(err, &rejected):
		why = "the kernel's verifier rejects it"
		err = &Rejection{Words: lastWords(rejected.Log), Log: rejected.Log, Cause: rejected.Cause}
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		why = "it needs root, or CAP_BPF with CAP_NET_ADMIN"
	case errors.Is(err, unix.ENOSPC):
		why = "the other end of the veth has more transmit queues than this one has receive queues"
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EEXIST):
		why = "another XDP program is attached; see `ip link`"
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE):
		why = "the driver or the kernel does not know it, or not with this MTU"
	case errors.Is(err, errCrash):
		return fmt.Errorf("%s: %w", what, err)
	case errors.Is(err, ErrNotSupported):
		why = "this kernel lacks it; Linux 5.15 or later is needed"
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %s (%w)", what, ErrNotSupported, why, err)
}
