package resolver

import (
	"encoding/binary"
	"net/netip"
)

// mayAsk says whether an address that came out of the DNS is one to send queries to: a server of a zone whose servers
// the operator named, or have such addresses themselves, is one even where strangers may not send us.
func (o *Options) mayAsk(ip netip.Addr, inside bool) bool {
	if ip.Is4() && o.NoIPv4 || ip.Is6() && o.NoIPv6 || ip.IsUnspecified() || ip.IsMulticast() {
		return false
	}
	if ip.Is4() && (ip.As4()[0] == 0 || ip.As4() == [4]byte{255, 255, 255, 255}) {
		return false
	}
	if ip.IsLoopback() {
		return o.QueryLoopback
	}
	return inside || !o.unasked(ip)
}

// unasked says whether servers at an address are not asked because strangers name them.
func (o *Options) unasked(ip netip.Addr) bool {
	if within(o.DoNotQuery, ip) {
		return true
	}
	v4, ok := embedded(ip)
	return ok && (within(o.DoNotQuery, v4) || v4.IsLoopback() && !o.QueryLoopback || v4.IsUnspecified())
}

// privateRoot says whether a root hint has an address that strangers may not name: then the whole tree is one of our own.
func (o *Options) privateRoot() bool {
	for _, h := range o.RootHints {
		if o.unasked(h.Addr) {
			return true
		}
	}
	return false
}

func within(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 address that an IPv6 address leads to: by NAT64 (RFC 6052), 6to4 (RFC 3056), or as an
// IPv4-compatible address (RFC 4291, section 2.5.5.1).
func embedded(ip netip.Addr) (v4 netip.Addr, ok bool) {
	if !ip.Is6() {
		return v4, false
	}
	a := ip.As16()
	high, low := binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint32(a[8:])
	switch {
	case low == 0 && (high == 0x0064ff9b<<32 || high == 0):
		return netip.AddrFrom4([4]byte(a[12:])), true
	case high>>48 == 0x2002:
		return netip.AddrFrom4([4]byte(a[2:])), true
	}
	return v4, false
}
