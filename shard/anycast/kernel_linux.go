package anycast

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// ifaProto is IFA_PROTO of linux/if_addr.h, since Linux 5.18; kernels before leave it out.
const ifaProto = 11

// netlinks is the kernel, over rtnetlink(7).
type netlinks struct{}

func (netlinks) index(name string) (int, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return 0, fmt.Errorf("find the interface %s: %w", name, err)
	}
	return link.Attrs().Index, nil
}

func (netlinks) addresses() (list []address, err error) {
	msgs, err := uninterrupted(func() ([][]byte, error) {
		req := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
		req.AddData(nl.NewIfAddrmsg(unix.AF_UNSPEC))
		return req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
	})
	if err != nil {
		return nil, fmt.Errorf("list the addresses of this host: %w", err)
	}
	for _, m := range msgs {
		if a, ok := readAddress(m); ok {
			list = append(list, a)
		}
	}
	return list, nil
}

// dumpTries bounds how often a list is asked for that changes while the kernel writes it, and dumpPause is the time between:
// on a host where containers come and go that is no rare event.
const (
	dumpTries = 10
	dumpPause = 5 * time.Millisecond
)

// uninterrupted repeats a dump until the kernel has written it in one piece: one that was interrupted may lack what is there.
func uninterrupted(dump func() ([][]byte, error)) (msgs [][]byte, err error) {
	for try := range dumpTries {
		if try > 0 {
			time.Sleep(dumpPause)
		}
		if msgs, err = dump(); !errors.Is(err, nl.ErrDumpInterrupted) {
			break
		}
	}
	return msgs, err
}

// readAddress reads the body of an RTM_NEWADDR message (rtnetlink(7)): struct ifaddrmsg, then attributes. false: the address is
// not a host's.
func readAddress(m []byte) (a address, ok bool) {
	if len(m) < unix.SizeofIfAddrmsg {
		return a, false
	}
	bits := int(m[1])
	a = address{link: int(binary.NativeEndian.Uint32(m[4:])), valid: forever}
	for m = m[unix.SizeofIfAddrmsg:]; len(m) >= unix.SizeofRtAttr; {
		length, typ := int(binary.NativeEndian.Uint16(m)), binary.NativeEndian.Uint16(m[2:])
		if length < unix.SizeofRtAttr || length > len(m) {
			return a, false
		}
		value := m[unix.SizeofRtAttr:length]
		switch {
		// IPv6 has no IFA_LOCAL; where both are, IFA_ADDRESS is the other end's.
		case typ == unix.IFA_LOCAL, typ == unix.IFA_ADDRESS && !a.addr.IsValid():
			a.addr, _ = netip.AddrFromSlice(value)
		case typ == ifaProto && len(value) > 0:
			a.proto = value[0]
		case typ == unix.IFA_CACHEINFO && len(value) >= unix.SizeofIfaCacheinfo:
			if seconds := binary.NativeEndian.Uint32(value[4:]); seconds != math.MaxUint32 { // behind the preferred time
				a.valid = time.Duration(seconds) * time.Second
			}
		}
		m = m[min((length+3)&^3, len(m)):] // each begins at a multiple of four
	}
	return a, a.addr.IsValid() && bits == a.addr.BitLen()
}

func (netlinks) put(link int, a netip.Addr, lease time.Duration) error {
	req := request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, link, a)
	// Never preferred: a query of this host's own with this source would be answered to any host of the fleet.
	life := nl.IfaCacheInfo{IfaCacheinfo: unix.IfaCacheinfo{Valid: uint32(lease / time.Second)}}
	req.AddData(nl.NewRtAttr(unix.IFA_CACHEINFO, life.Serialize()))
	req.AddData(nl.NewRtAttr(ifaProto, []byte{proto}))
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return advise(err)
}

func (netlinks) remove(link int, a netip.Addr) error {
	_, err := request(unix.RTM_DELADDR, 0, link, a).Execute(unix.NETLINK_ROUTE, 0)
	if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return advise(err)
}

// request begins a request about an address of an interface.
func request(what, flags, link int, a netip.Addr) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(what, flags|unix.NLM_F_ACK)
	family := unix.AF_INET
	if a.Is6() {
		family = unix.AF_INET6
	}
	head := nl.NewIfAddrmsg(family)
	head.Index, head.Prefixlen = uint32(link), uint8(a.BitLen())
	if a.Is6() {
		head.Flags = unix.IFA_F_NODAD // all hosts of the fleet have it
	}
	req.AddData(head)
	req.AddData(nl.NewRtAttr(unix.IFA_LOCAL, a.AsSlice()))
	req.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, a.AsSlice()))
	return req
}

func (netlinks) linger(a netip.Addr) error {
	r, err := localRoute(a)
	if err != nil {
		return err
	}
	return advise(netlink.RouteReplace(r))
}

func (netlinks) settle(a netip.Addr) error {
	r, err := localRoute(a)
	if err != nil {
		return err
	}
	if err := netlink.RouteDel(r); !errors.Is(err, unix.ESRCH) {
		return advise(err)
	}
	return nil
}

// lingerMetric tells our route from that which the kernel makes for an address, whose metric is 0, and puts it behind.
const lingerMetric = 100

// localRoute is a route that has the host take packets to an address.
func localRoute(a netip.Addr) (*netlink.Route, error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("find the loopback interface: %w", err)
	}
	r := &netlink.Route{
		LinkIndex: lo.Attrs().Index, Dst: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())},
		Table: unix.RT_TABLE_LOCAL, Type: unix.RTN_LOCAL, Protocol: proto, Priority: lingerMetric,
	}
	if a.Is4() {
		r.Scope = netlink.SCOPE_HOST
	}
	return r, nil
}

// advise adds what to do to an error of the kernel.
func advise(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("%w (it takes CAP_NET_ADMIN, as the packaged unit gives it)", err)
	}
	return err
}
