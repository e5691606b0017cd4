package anycast

import (
	"net/netip"
	"slices"
	"time"

	"heimdall/core/control"
)

// place is what the keeper has to do with an address.
type place struct {
	link    int       // interface that it has put the address on; 0: none
	foreign bool      // it should be there, and is, but is somebody else's
	lingers time.Time // until when packets to it are taken although it was taken off; zero: they are not
	spared  bool      // it was not taken off the last time, because packets to it could not be taken without it
	err     string    // why it is not as it should be; "": it is
}

// settle has the kernel have what it should: the addresses that are to be there, their leases renewed, and no others of
// ours. What does not work is tried again the next time. listed is false where not even that could be found out which there are.
func (k *Keeper) settle(s *Settings, now time.Time) (listed bool) {
	k.renew = now.Add(s.Lease / leaseParts)
	defer k.tell(s)
	list, err := k.kernel.addresses()
	if err != nil {
		k.failed(s, err)
		return false
	}
	link := 0
	for _, a := range s.Addresses {
		if k.places[a] == nil {
			k.places[a] = new(place)
			k.tried(a, k.kernel.settle(a)) // of a process that was killed while it drained
		}
	}
	if len(s.Addresses) > 0 {
		if link, err = k.kernel.index(s.Interface); err != nil {
			k.failed(s, err)
		}
	}
	if link != 0 && !k.swings.up {
		for _, a := range s.Addresses {
			k.places[a].err = ""
		}
	}
	if link != 0 && k.swings.up {
		for _, a := range s.Addresses {
			k.keep(s, link, a, list)
		}
	}
	// After that: an address that moves to another interface is always on one.
	for i := range list {
		k.clear(s, link, &list[i], now)
	}
	for a, p := range k.places {
		wanted := slices.Contains(s.Addresses, a)
		if !(wanted && k.swings.up) && p.link != 0 && !slices.ContainsFunc(list, func(e address) bool { return e.link == p.link && e.addr == a && e.own(s.Lease) }) {
			p.link = 0 // others have taken it off, or its interface is no more
		}
		if !p.lingers.IsZero() && !now.Before(p.lingers) {
			k.forget(a, p)
		}
		if p.link == 0 && p.lingers.IsZero() && !wanted {
			delete(k.places, a)
		}
	}
	return true
}

// inherits tells whether an earlier process has put addresses there.
func (k *Keeper) inherits(s *Settings) bool {
	list, err := k.kernel.addresses()
	return err == nil && slices.ContainsFunc(list, func(e address) bool { return slices.Contains(s.Addresses, e.addr) && e.own(s.Lease) })
}

// keep puts an address on the interface, or renews its lease.
func (k *Keeper) keep(s *Settings, link int, a netip.Addr, list []address) {
	p := k.places[a]
	at := slices.IndexFunc(list, func(e address) bool { return e.link == link && e.addr == a })
	if foreign := at >= 0 && !list[at].own(s.Lease); foreign {
		if !p.foreign {
			k.o.Log.Warn("a service address is there already and not this daemon's: it stays as it is, whatever becomes of this server",
				"address", a, "interface", s.Interface)
		}
		p.foreign, p.err = true, ""
		return
	}
	p.foreign, p.spared = false, false
	if at < 0 && p.link == link {
		k.o.Log.Warn("a service address was taken off by others, or its lease has run out: it is put back", "address", a, "interface", s.Interface)
	}
	if k.tried(a, k.kernel.put(link, a, s.Lease)) {
		p.link = link
		k.forget(a, p)
	}
}

// clear takes an address off that is ours and should not be there.
func (k *Keeper) clear(s *Settings, link int, e *address, now time.Time) {
	wanted := slices.Contains(s.Addresses, e.addr)
	announced := wanted && k.swings.up
	if !e.own(s.Lease) || announced && e.link == link {
		return
	}
	p := k.places[e.addr]
	if p == nil || !wanted && p.link != e.link {
		return // of another instance on this host
	}
	if there := link != 0 && (p.link == link || p.foreign); announced && !there && (p.link == 0 || p.link == e.link) {
		k.retain(s, e, p)
		return
	}
	if p.link == 0 {
		k.o.Log.Info("a service address that an earlier process has left behind is taken off", "address", e.addr)
	} else if !announced { // else the address has moved, and is on another interface
		// First: from now on the host takes packets to the address without it.
		if !k.tried(e.addr, k.kernel.linger(e.addr)) && !p.spared {
			p.spared, k.renew = true, now // once more, soon
			return
		}
		p.spared = false
		p.lingers = now.Add(s.DrainWait)
	}
	if k.tried(e.addr, k.kernel.remove(e.link, e.addr)) && p.link == e.link {
		p.link = 0
	}
}

// retain leaves an address where it was, on an interface that it has not moved from: the other one does not exist, or does not
// take it. A healthy server is to be reached meanwhile.
func (k *Keeper) retain(s *Settings, e *address, p *place) {
	if err := k.kernel.put(e.link, e.addr, s.Lease); err != nil {
		k.tried(e.addr, err) // without an error p.err still tells why it does not move
	}
	p.link = e.link
}

// forget ends that packets to an address are taken which is not there.
func (k *Keeper) forget(a netip.Addr, p *place) {
	if !p.lingers.IsZero() && k.tried(a, k.kernel.settle(a)) {
		p.lingers = time.Time{}
	}
}

// tried notes how something about an address went, and tells whether it did. The same error is logged once.
func (k *Keeper) tried(a netip.Addr, err error) bool {
	p := k.places[a]
	if err == nil {
		p.err = ""
		return true
	}
	if p.err != err.Error() {
		k.o.Log.Error("a service address is not as it should be: this is tried again and again", "address", a, "error", err)
	}
	p.err = err.Error()
	return false
}

// failed notes for all addresses why nothing can be done about them.
func (k *Keeper) failed(s *Settings, err error) {
	for _, a := range s.Addresses {
		if k.places[a] == nil {
			k.places[a] = new(place)
		}
		k.tried(a, err)
	}
}

// tell puts together what Report returns.
func (k *Keeper) tell(s *Settings) {
	var r *control.Anycast
	if len(s.Addresses) > 0 {
		_, because := k.healthy(s, time.Now())
		if because == "" {
			because = "healthy"
		}
		r = &control.Anycast{Interface: s.Interface, Announced: k.swings.up, Because: because, Changes: k.shifts}
		for _, a := range s.Addresses {
			r.Addresses = append(r.Addresses, k.places[a].tell(a, k.swings.up))
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.report = r
}

func (p *place) tell(a netip.Addr, wanted bool) control.AnycastAddress {
	out := control.AnycastAddress{Address: a.String(), State: control.AnycastDown, Error: p.err}
	switch {
	case p.foreign && wanted:
		out.State = control.AnycastForeign
	case p.err != "":
		out.State = control.AnycastFailed
	case p.link != 0:
		out.State = control.AnycastUp
	}
	return out
}
