package ebpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Attach attaches the program to the network interface of that index and returns the mode in which it runs.
// It stays until Close or the end of the process, however that comes.
func (p *Program) Attach(ifindex int, mode Mode) (Mode, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.noteVeth(ifindex); err != nil {
		return mode, err
	}
	try := []Mode{mode}
	if mode == Auto {
		try = []Mode{Native, Generic}
	}
	var failed error
	for _, m := range try {
		flags := link.XDPDriverMode
		if m == Generic {
			flags = link.XDPGenericMode
		}
		l, err := link.AttachXDP(link.XDPOptions{Program: p.objs.Heimdall, Interface: ifindex, Flags: flags})
		if err == nil {
			p.links = append(p.links, l)
			p.attached = append(p.attached, ifindex)
			return m, nil
		}
		err = explain(fmt.Sprintf("attach to interface %d in %v mode", ifindex, m), err)
		if failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		failed = err
	}
	return mode, failed
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
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EINVAL):
		why = "the driver or the kernel does not know it"
	case errors.Is(err, ErrNotSupported):
		why = "this kernel lacks it; Linux 5.15 or later is needed"
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %s (%w)", what, ErrNotSupported, why, err)
}
