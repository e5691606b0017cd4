package anycast

import (
	"errors"
	"net/netip"
	"slices"
	"time"
)

// Clear takes off the addresses of a list that a process has left behind which does not run any more, from whatever
// interface they are on, and returns those.
func Clear(list []netip.Addr, lease time.Duration) ([]netip.Addr, error) {
	return clearIn(netlinks{}, list, lease)
}

func clearIn(in kernel, list []netip.Addr, lease time.Duration) (gone []netip.Addr, err error) {
	there, err := in.addresses()
	if err != nil {
		return nil, err
	}
	for i := range there {
		e := &there[i]
		if !slices.Contains(list, e.addr) || !e.own(lease) {
			continue
		}
		if e := in.remove(e.link, e.addr); e != nil {
			err = errors.Join(err, e)
			continue
		}
		gone = append(gone, e.addr)
	}
	for _, a := range list {
		err = errors.Join(err, in.settle(a))
	}
	return gone, err
}
