package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// learn reads the delegation of zone out of a response: NS records of the given section, and glue from the
// additional section as far as the server asked, by route r, can know it. The result replaces d, the delegation that
// led to that server, and is stored.
func (z *delegations) learn(d *delegation, t *task, resp *response, zone dname.Name, r *route, section wire.Section, now int64) bool {
	until := forever
	if r.kind == iterate {
		until = d.until
	}
	d.reset(zone.Labels())
	ttl := z.readServers(d, t, resp, zone, r, section)
	if zone.IsRoot() { // A priming response may lack addresses (RFC 8109, section 3.3); the hints have them.
		for _, h := range z.options.RootHints {
			for n := range int(d.nns) {
				if d.ns[n].state&nsGlue == 0 && dname.Equal(d.name(n), h.Name) {
					d.addAddr(n, h.Addr.As16(), nsKnown)
				}
			}
		}
		if d.naddrs == 0 {
			return false
		}
	}
	if d.nns == 0 {
		return false
	}
	d.inside = r.group != nil || r.below || r.kind == here || z.options.privateRoot() || z.options.unasked(z.servers.At(resp.server).Addr().Addr())
	second := seconds(now)
	end := second + ttl
	if !zone.IsRoot() {
		// No longer than the delegation that it hangs on: else a zone that its parent has withdrawn goes on handing
		// out delegations below itself (Phoenix Domain, NDSS '23).
		end = min(end, until)
		d.until = end
	}
	d.stored, d.changed = second, second
	if value, ok := z.known.Get(known.Delegation, zone, wire.TypeNS, t.class, second); ok {
		var old delegation
		if d.repeats(old.decode(zone.Labels(), value)) {
			d.changed = old.changed
		}
	}
	if z.known.Keeps() && end > second && r.kind != here && !t.below {
		z.encoded = d.encode(z.encoded[:0])
		z.known.Put(known.Delegation, zone, wire.TypeNS, t.class, z.encoded, end-second, second)
	}
	return true
}

// readServers adds the NS records of zone and their glue in a response to d, which is empty, and returns the TTL.
func (z *delegations) readServers(d *delegation, t *task, resp *response, zone dname.Name, r *route, section wire.Section) (ttl uint32) {
	ttl = known.MaxDelegationTTL
	var buf [dname.MaxLen]byte
	parts := resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section != section || p.rr.Type != wire.TypeNS || p.rr.Class != t.class || !dname.Equal(p.owner, zone) {
			continue
		}
		name, ok := wire.UnpackRData(buf[:0], resp.msg, &p.rr)
		if !ok {
			continue
		}
		lower(name)
		d.addNS(name)
		ttl = min(ttl, p.rr.TTL)
	}
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Additional || p.rr.Class != t.class || !z.options.AnyGlue && !p.owner.In(r.zone) {
			continue
		}
		a, ok := address(resp.msg[p.rr.Data:p.rr.End], p.rr.Type)
		if !ok {
			continue
		}
		for n := range int(d.nns) {
			if !dname.Equal(d.name(n), p.owner) || !z.realms.mayGlue(p.owner, p.rr.Type, r) {
				continue
			}
			if z.options.AnyGlue || p.owner.In(zone) {
				d.addAddr(n, a, nsGlue)
			} else {
				d.addAddr(n, a, 0)
			}
		}
	}
	return ttl
}

// keepOwn keeps what a zone, by route r, says of its own servers, when it was asked for just that: the names, and the
// addresses of those within it. What stands beside other answers is not looked at: a forged one would do for much more
// than it answers. It is good for when the servers that the parent names do not answer (see lookAside), and replaces
// nothing.
func (z *delegations) keepOwn(t *task, d *delegation, resp *response, r *route, now int64) {
	if !z.known.Keeps() || r.below || r.zone.IsRoot() || t.typ != wire.TypeNS || resp.flags&wire.FlagAA == 0 ||
		!dname.Equal(t.current(), r.zone) {
		return
	}
	var own delegation
	own.reset(r.zone.Labels())
	ttl, second := z.readServers(&own, t, resp, r.zone, r, wire.Answer), seconds(now)
	if ttl = min(ttl, d.until-second); own.nns == 0 || ttl == 0 || d.until <= second {
		return
	}
	own.stored = second
	z.encoded = own.encode(z.encoded[:0])
	z.known.Put(known.Own, r.zone, wire.TypeNS, t.class, z.encoded, ttl, second)
}
