package resolver

import (
	"net/netip"

	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// delegations are the zones whose servers the tasks ask, by the number of the task, and what it takes to find these
// servers. Nobody is asked here: what is known is looked up.
type delegations struct {
	list       []delegation
	options    *Options
	realms     *realms
	known      *known.Store
	servers    *servers.Table
	families   *servers.Families
	candidates []int32 // what gather has returned
	encoded    []byte  // a delegation on its way to the store
}

func (z *delegations) at(i int32) *delegation { return &z.list[i] }

// closest fills the delegation of a task with the deepest known zone that contains its name and has at
// least the given number of labels; false if there is none.
func (z *delegations) closest(t *task, d *delegation, least int, now int64) bool {
	cur := t.current()
	n := cur.Labels()
	if t.typ == wire.TypeDS && n > 0 {
		n-- // RFC 4035, section 3.1.4.1: the parent side of a cut answers for DS.
	}
	if t.depth != primeDepth {
		n = min(n, int(t.above))
		for ; n >= least; n-- {
			if value, ok := z.known.Get(known.Delegation, cur.Suffix(n), wire.TypeNS, t.class, seconds(now)); ok {
				d.decode(n, value)
				return true
			}
		}
	}
	if least > 0 || t.class != wire.ClassIN {
		return false
	}
	d.reset(0)
	d.hints, d.inside = true, true
	for _, h := range z.options.RootHints {
		if ns := d.addNS(h.Name); ns >= 0 {
			d.addAddr(ns, h.Addr.As16(), nsGlue)
		}
	}
	return d.nns > 0
}

// look finds addresses of the servers of a task's delegation that the parent gave none for.
func (z *delegations) look(t *task, d *delegation, now int64) {
	for n := range int(d.nns) {
		if d.ns[n].state&(nsGlue|nsKnown) == 0 {
			z.lookFor(t, d, n, now)
		}
	}
}

// lookFor adds the known addresses of one server's name.
func (z *delegations) lookFor(t *task, d *delegation, n int, now int64) {
	for _, typ := range [2]wire.Type{wire.TypeA, wire.TypeAAAA} {
		var buf [dname.MaxLen]byte
		name := d.name(n)
		for range 4 { // RFC 2181, section 10.3 forbids an alias here, but there are some
			if z.lookForHere(t, d, n, name, typ) {
				break
			}
			recs, ok := z.known.View(name, typ, t.class, seconds(now))
			if !ok {
				recs, _ = z.known.View(name, wire.TypeCNAME, t.class, seconds(now))
			}
			alias := false
			for len(recs) > 0 {
				rec, next, _ := recs.Next()
				if a, is := address(rec.RData, rec.Type); is && rec.Section == wire.Answer {
					d.addAddr(n, a, nsKnown)
				} else if rec.Type == wire.TypeCNAME {
					name, alias = append(buf[:0], rec.RData...), true
					lower(name)
				}
				recs = next
			}
			if !alias {
				break
			}
		}
	}
}

// lookForHere adds the addresses that the name of a server has here. False if the name is not answered here.
func (z *delegations) lookForHere(t *task, d *delegation, n int, name dname.Name, typ wire.Type) bool {
	resp, place := z.realms.lookHere(name, typ, t.class, false)
	if place != Answered || resp == nil {
		return place == Answered
	}
	for i := range resp.parts {
		p := &resp.parts[i]
		if a, ok := address(resp.msg[p.rr.Data:p.rr.End], p.rr.Type); ok && p.section == wire.Answer && p.rr.Type == typ {
			d.addAddr(n, a, nsKnown)
		}
	}
	return true
}

// lookAside adds addresses of lesser rank to a task's delegation, as far as they are known: for each server's name, the
// addresses in its own zone beside those that the parent gave, and the other way round; and the servers that the zone itself
// names. What was said before the parent's word changed does not count: the parent may have given the zone to somebody else
// (ghost domains).
func (z *delegations) lookAside(t *task, d *delegation, now int64) {
	zone := t.current().Suffix(int(d.labels))
	z.lookOwn(t, d, zone, now)
	for n := range int(d.nns) {
		for _, typ := range [2]wire.Type{wire.TypeA, wire.TypeAAAA} {
			recs := z.known.Since(d.name(n), typ, t.class, d.changed, seconds(now))
			for len(recs) > 0 {
				rec, next, _ := recs.Next()
				if a, is := address(rec.RData, rec.Type); is && rec.Section == wire.Answer {
					d.addAddr(n, a, 0)
				}
				recs = next
			}
		}
		z.lookAbove(t, d, n, now)
	}
}

// lookOwn adds to the delegation of a zone the servers that the zone names itself, as far as it has said so since its
// parent said anything else.
func (z *delegations) lookOwn(t *task, d *delegation, zone dname.Name, now int64) {
	value, ok := z.known.Get(known.Own, zone, wire.TypeNS, t.class, seconds(now))
	if !ok {
		return
	}
	var own delegation
	own.decode(zone.Labels(), value)
	if own.stored < d.changed {
		return
	}
	for i := range int(own.nns) {
		n := d.addNS(own.name(i))
		if n < 0 {
			continue
		}
		for a, owner := range own.owners[:own.naddrs] {
			if int(owner) == i {
				d.addAddr(n, own.addrs[a], 0)
			}
		}
	}
}

// lookAbove adds the addresses of one server's name that the parents of the zones it is in gave as glue.
func (z *delegations) lookAbove(t *task, d *delegation, n int, now int64) {
	name := d.name(n)
	for labels := name.Labels(); labels > 0; labels-- {
		value, ok := z.known.Get(known.Delegation, name.Suffix(labels), wire.TypeNS, t.class, seconds(now))
		if !ok {
			continue
		}
		var other delegation
		other.decode(labels, value)
		for i, owner := range other.owners[:other.naddrs] {
			if dname.Equal(other.name(int(owner)), name) {
				d.addAddr(n, other.addrs[i], 0)
			}
		}
	}
}

// gather lists the servers whose addresses the delegation of a task has, as far as they may be asked.
func (z *delegations) gather(t *task, d *delegation, now int64) []int32 {
	lesser := t.lesser || t.depth >= trustDepth || d.labels == 0
	z.candidates = z.candidates[:0]
	for pass := 0; pass < 2 && len(z.candidates) == 0; pass++ { // Of a family that is left alone, only if there are no others.
		for n, a := range d.addrs[:d.naddrs] {
			if d.lesser>>n&1 != 0 && !lesser {
				continue
			}
			ip := netip.AddrFrom16(a).Unmap()
			if !z.options.mayAsk(ip, d.inside) || z.shut(servers.Family(ip), now) != (pass == 1) {
				continue
			}
			if s := z.servers.Get(netip.AddrPortFrom(ip, 53), now); s >= 0 {
				z.candidates = append(z.candidates, s)
			}
		}
	}
	return z.candidates
}

// shut says whether the servers of a family are left alone for now.
func (z *delegations) shut(family int, now int64) bool {
	return z.families.Shut(family, [2]bool{z.options.NoIPv4, z.options.NoIPv6}, now)
}
