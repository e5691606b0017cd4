package ebpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
)

// FollowInterfaces tells the program, if it is strict about the way back, which bonds, bridges and VLANs the interfaces
// that it is attached to belong to now.
func (p *Program) FollowInterfaces() error {
	if p.reverse != ReverseStrict {
		return nil
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list the network interfaces: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := arrivals(links, p.attached)
	if p.arrivals == nil {
		p.arrivals = map[xdpArrival]uint32{}
	}
	var errs []error
	// Those that are gone make room. What fails is tried again the next time.
	for key := range p.arrivals {
		if _, ok := next[key]; ok {
			continue
		}
		if err := p.objs.Arrivals.Delete(&key); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			errs = append(errs, err)
			continue
		}
		delete(p.arrivals, key)
	}
	for key, index := range next {
		if p.arrivals[key] == index {
			continue
		}
		if err := p.objs.Arrivals.Put(&key, index); err != nil {
			errs = append(errs, err)
			continue
		}
		p.arrivals[key] = index
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("tell the XDP program of bonds, bridges and VLANs: %w", err)
	}
	return nil
}

// deepest is how far interfaces are followed that lie on one another.
const deepest = 8

// arrivals finds for what comes on an interface, untagged or tagged, which interface the host takes it for.
func arrivals(links []netlink.Link, attached []int) map[xdpArrival]uint32 {
	byIndex, vlans := map[int]netlink.Link{}, map[int][]*netlink.Vlan{} // the latter by what they lie on
	for _, l := range links {
		byIndex[l.Attrs().Index] = l
		if v, ok := l.(*netlink.Vlan); ok {
			vlans[v.ParentIndex] = append(vlans[v.ParentIndex], v)
		}
	}
	// path is an interface and those that have it as a part, the last being what the host takes it for.
	path := func(index int) (list []int) {
		for range deepest {
			list = append(list, index)
			l := byIndex[index]
			if l == nil || l.Attrs().MasterIndex == 0 {
				break
			}
			master := byIndex[l.Attrs().MasterIndex]
			if master == nil || master.Type() == "vrf" {
				break
			}
			index = master.Attrs().Index
		}
		return list
	}
	last := func(index int) uint32 { list := path(index); return uint32(list[len(list)-1]) }
	out := map[xdpArrival]uint32{}
	for _, index := range attached {
		key := xdpArrival{Index: uint32(index)}
		if top := last(index); top != key.Index {
			out[key] = top
		}
		// A VLAN of the interface itself comes before one of what it is a part of.
		for _, on := range path(index) {
			for _, outer := range vlans[on] {
				key := xdpArrival{Index: uint32(index), Outer: tagOf(outer)}
				if out[key] == 0 {
					out[key] = last(outer.Index)
				}
				for _, inner := range vlans[outer.Index] {
					key.Inner = tagOf(inner)
					if out[key] == 0 {
						out[key] = last(inner.Index)
					}
				}
			}
		}
		// Who has no VLAN takes what is tagged with ID 0 as untagged (IEEE 802.1Q, priority-tagged frames).
		out[xdpArrival{Index: uint32(index), Outer: tagCustomer}] = last(index)
	}
	return out
}

// Bits of a tag in struct arrival of c/layout.h, beside its ID.
const (
	tagCustomer = 1 << 12
	tagService  = 1 << 13
)

func tagOf(v *netlink.Vlan) uint16 {
	if v.VlanProtocol == netlink.VLAN_PROTOCOL_8021AD {
		return uint16(v.VlanId) | tagService
	}
	return uint16(v.VlanId) | tagCustomer
}
