package anycast

import (
	"errors"
	"net/netip"
	"time"
)

// ErrNotSupported: this system has no netlink.
var ErrNotSupported = errors.New("service addresses take Linux")

// address is one that an interface has, as a host: /32 or /128.
type address struct {
	link  int // index of the interface
	addr  netip.Addr
	proto uint8         // who has put it there (IFA_PROTO); 0: unknown, on kernels before 5.18 always
	valid time.Duration // that is left of its lifetime; forever if it has none
}

const forever = time.Duration(1<<63 - 1)

// proto marks addresses and routes as this program's, in IFA_PROTO and rtm_protocol: a number that no other is known to use.
const proto = 104

// own tells whether an address is one that this program has put there. Kernels without the mark tell it by the lifetime,
// which nobody else makes as short.
func (a *address) own(lease time.Duration) bool {
	return a.proto == proto || a.proto == 0 && a.valid <= lease
}

// kernel is what the keeper does there.
type kernel interface {
	// index finds an interface.
	index(name string) (link int, err error)
	// addresses lists those of all interfaces.
	addresses() ([]address, error)
	// put puts an address on an interface for the time of a lease, or renews it.
	put(link int, a netip.Addr, lease time.Duration) error
	// remove takes an address off an interface. One that is not there is no error.
	remove(link int, a netip.Addr) error
	// linger has the host take packets to an address that no interface has; settle ends that, if it was so.
	linger(a netip.Addr) error
	settle(a netip.Addr) error
}
