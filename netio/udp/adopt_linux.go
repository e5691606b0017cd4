package udp

import (
	"fmt"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// Adopt makes a port of a socket that Listen has opened elsewhere: in another process that hands over to this one, or that
// has left it behind. What its queue holds is received here. The two processes may have it open at once: each datagram is
// received by one of them. On an error the descriptor stays the caller's.
func Adopt(fd int, o Options) (*Port, error) {
	o = o.withDefaults()
	is, err := netio.LookAt(fd)
	if err != nil {
		return nil, err
	}
	if want := netio.Bound(o.Addr); is.Type != unix.SOCK_DGRAM || is.Addr != want {
		return nil, fmt.Errorf("adopt a udp socket: it is bound to %v, not to %v", is.Addr, want)
	}
	o.Addr = is.Addr
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("adopt udp socket %v: %w", o.Addr, err)
	}
	p := newPort(fd, o)
	if err := p.askForBuffers(o); err != nil {
		return nil, fmt.Errorf("adopt udp socket %v: %w", o.Addr, err)
	}
	// Whoever had it may have left this on, and has counted the drops before.
	p.age = true
	p.MeasureAge(false)
	p.lastDrops, _ = socketDrops(fd)
	return p, nil
}
