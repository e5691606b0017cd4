package zone

import "heimdall/core/wire"

// check looks for what is wrong with the zone.
func (b *Builder) check(z *Zone) {
	p := &b.problems
	soa, _ := rrset(z.node(z.apex), wire.TypeSOA)
	switch {
	case soa == nil:
		p.add(Error, z.origin, wire.TypeSOA, "no SOA record at the apex")
	case len(soa) != len(z.soa):
		p.add(Error, z.origin, wire.TypeSOA, "more than one SOA record")
	}
}
