package resolver

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Bounds of one delegation. What is beyond is left out: 13 names serve the root and the largest zones.
const (
	maxNS      = 16
	maxAddrs   = 32
	maxNSNames = 1500 // octets of the names
)

type nsState uint8

const (
	nsGlue  nsState = 1 << iota // the parent gave addresses
	nsKnown                     // addresses were found
	nsAsked                     // a sub-task looks, or has looked, for them
)

// delegation is the zone whose servers a task asks, with their names and addresses. Tasks and delegations
// have the same index.
type delegation struct {
	labels  uint8 // of the zone, which is a suffix of the task's name
	cached  bool  // was found in the store rather than just received
	hints   bool  // the built-in or configured root servers
	inside  bool  // its servers may have addresses of Options.DoNotQuery
	nns     uint8
	naddrs  uint8
	used    uint16 // octets of names
	until   uint32 // second at which it ends; forever: that of the root, of hints, and of what is configured
	stored  uint32 // second that the parent said so
	changed uint32 // second since when it has said nothing else
	ns      [maxNS]nameserver
	addrs   [maxAddrs][16]byte
	names   [maxNSNames]byte
	owners  [maxAddrs]uint8 // which of ns an address was first given for
	lesser  uint32          // bits of addrs that count only when no other server helps
}

var _ [32 - maxAddrs]byte // Each address has a bit in lesser.

type nameserver struct {
	at    uint16
	size  uint8
	state nsState
}

func (d *delegation) reset(labels int) {
	d.labels, d.cached, d.hints, d.nns, d.naddrs, d.used = uint8(labels), false, false, 0, 0, 0
	d.lesser, d.stored, d.changed, d.until, d.inside = 0, 0, 0, forever, false
}

// forever is the end of what nobody can withdraw.
const forever = ^uint32(0)

func (d *delegation) name(i int) dname.Name {
	n := &d.ns[i]
	return dname.Name(d.names[n.at : n.at+uint16(n.size)])
}

// addNS adds a server's name; -1 if there is no room.
func (d *delegation) addNS(name dname.Name) int {
	for i := range int(d.nns) {
		if dname.Equal(d.name(i), name) {
			return i
		}
	}
	if d.nns == maxNS || int(d.used)+len(name) > maxNSNames {
		return -1
	}
	d.ns[d.nns] = nameserver{at: d.used, size: uint8(len(name))}
	d.used += uint16(copy(d.names[d.used:], name))
	d.nns++
	return int(d.nns - 1)
}

// addAddr adds an address of the server ns. With state 0 it is of lesser rank, such as sibling glue, which counts only
// when nothing else is to be had.
func (d *delegation) addAddr(ns int, a [16]byte, state nsState) {
	d.ns[ns].state |= state
	at := 0
	for at < int(d.naddrs) && d.addrs[at] != a {
		at++
	}
	switch {
	case at == maxAddrs || at < int(d.naddrs) && state == 0:
		return
	case at == int(d.naddrs):
		d.addrs[at], d.owners[at] = a, uint8(ns)
		d.naddrs++
	}
	if d.lesser &^= 1 << at; state == 0 {
		d.lesser |= 1 << at
	}
}

// insideBit marks a stored delegation whose servers may have addresses of Options.DoNotQuery.
const insideBit = 0x80

// delegationHeader is how many octets a stored delegation has before its names.
const delegationHeader = 18

// encode appends the delegation as it is stored: the number of names, with the highest bit for inside, and of addresses;
// which addresses are of lesser rank (4 octets), its end (4), when it was stored (4) and had changed (4); the names with
// their lengths and states; the addresses with their owners.
func (d *delegation) encode(dst []byte) []byte {
	nns := d.nns
	if d.inside {
		nns |= insideBit
	}
	dst = binary.BigEndian.AppendUint32(append(dst, nns, d.naddrs), d.lesser)
	dst = binary.BigEndian.AppendUint32(dst, d.until)
	dst = binary.BigEndian.AppendUint32(dst, d.stored)
	dst = binary.BigEndian.AppendUint32(dst, d.changed)
	for i := range int(d.nns) {
		dst = append(dst, d.ns[i].size, byte(d.ns[i].state&nsGlue))
		dst = append(dst, d.name(i)...)
	}
	for i, a := range d.addrs[:d.naddrs] {
		dst = append(append(dst, a[:]...), d.owners[i])
	}
	return dst
}

func (d *delegation) decode(labels int, b []byte) *delegation {
	d.reset(labels)
	d.cached = true
	nns, naddrs := int(b[0]&^insideBit), int(b[1])
	d.inside = b[0]&insideBit != 0
	d.lesser, d.until, d.stored = binary.BigEndian.Uint32(b[2:]), binary.BigEndian.Uint32(b[6:]), binary.BigEndian.Uint32(b[10:])
	d.changed = binary.BigEndian.Uint32(b[14:])
	b = b[delegationHeader:]
	for range nns {
		size := int(b[0])
		if i := d.addNS(dname.Name(b[2 : 2+size])); i >= 0 {
			d.ns[i].state = nsState(b[1])
		}
		b = b[2+size:]
	}
	for range naddrs {
		d.addrs[d.naddrs], d.owners[d.naddrs] = [16]byte(b), b[16]
		d.naddrs++
		b = b[17:]
	}
	return d
}

// storedServers lists the names of the servers of a delegation as it is stored.
func storedServers(b []byte) iter.Seq[dname.Name] {
	return func(yield func(dname.Name) bool) {
		rest := b[delegationHeader:]
		for range b[0] &^ insideBit {
			size := int(rest[0])
			if !yield(dname.Name(rest[2 : 2+size])) {
				return
			}
			rest = rest[2+size:]
		}
	}
}

// repeats says whether d names the servers that old does, at the same addresses. It spoils old.
func (d *delegation) repeats(old *delegation) bool {
	if d.nns != old.nns || d.naddrs != old.naddrs {
		return false
	}
	for i := range int(d.nns) {
		if n := old.addNS(d.name(i)); n < 0 || n >= int(d.nns) {
			return false // It was not there.
		}
	}
	for _, a := range d.addrs[:d.naddrs] {
		if !slices.Contains(old.addrs[:old.naddrs], a) {
			return false
		}
	}
	return true
}

// address reads an A or AAAA record's RDATA.
func address(rdata []byte, t wire.Type) (a [16]byte, ok bool) {
	switch {
	case t == wire.TypeA && len(rdata) == 4:
		return netip.AddrFrom4([4]byte(rdata)).As16(), true
	case t == wire.TypeAAAA && len(rdata) == 16 && !netip.AddrFrom16([16]byte(rdata)).Is4In6(): // RFC 4291, section 2.5.5.2
		return [16]byte(rdata), true
	}
	return a, false
}
