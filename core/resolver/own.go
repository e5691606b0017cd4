package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// keepOwn keeps what a zone, by route r, says of its own servers, when it was asked for just that: the names, and the
// addresses of those within it. What stands beside other answers is not looked at: a forged one would do for much more
// than it answers. It is good for when the servers that the parent names do not answer (see lookAside), and replaces
// nothing.
func (m *Machine) keepOwn(t *task, d *delegation, resp *response, r *route) {
	if !m.known.Keeps() || r.below || r.zone.IsRoot() || t.typ != wire.TypeNS || resp.flags&wire.FlagAA == 0 ||
		!dname.Equal(t.current(), r.zone) {
		return
	}
	var own delegation
	own.reset(r.zone.Labels())
	ttl, now := m.readServers(&own, t, resp, r.zone, r, wire.Answer), m.seconds()
	if ttl = min(ttl, d.until-now); own.nns == 0 || ttl == 0 || d.until <= now {
		return
	}
	own.stored = now
	m.encoded = own.encode(m.encoded[:0])
	m.known.Put(known.Own, r.zone, wire.TypeNS, t.class, m.encoded, ttl, now)
}

// lookOwn adds to the delegation of a zone the servers that the zone names itself, as far as it has said so since its
// parent said anything else.
func (m *Machine) lookOwn(t *task, d *delegation, zone dname.Name) {
	value, ok := m.known.Get(known.Own, zone, wire.TypeNS, t.class, m.seconds())
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
