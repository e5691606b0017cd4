package resolver

import (
	"net/netip"
)

// mayWiden says whether a task's delegation has servers whose addresses were not looked for yet.
func (z *delegations) mayWiden(t *task, d *delegation, now int64) bool {
	if t.subs > 0 || d.lesser != 0 && !t.lesser {
		return true
	}
	return z.unlocated(t, d, now)
}

// unlocated says whether there are servers whose addresses may be looked for yet.
func (z *delegations) unlocated(t *task, d *delegation, now int64) bool {
	if t.depth >= maxDepth || d.labels == 0 || t.spawned >= maxSpawned {
		return false
	}
	for n := range int(d.nns) {
		if d.ns[n].state&nsAsked == 0 && !z.located(d, n, now) {
			return true
		}
	}
	return false
}

// located says whether a delegation has an address of one of its servers that can be asked.
func (z *delegations) located(d *delegation, n int, now int64) bool {
	if d.ns[n].state&(nsGlue|nsKnown) == 0 {
		return false
	}
	owns := false
	for i, owner := range d.owners[:d.naddrs] {
		if int(owner) == n {
			if owns = true; z.reaches(netip.AddrFrom16(d.addrs[i]).Unmap(), d.inside, now) {
				return true
			}
		}
	}
	return !owns // It shares the address of another.
}

// reaches says whether queries may and, as far as is known, can be sent to the server at an address.
func (z *delegations) reaches(ip netip.Addr, inside bool, now int64) bool {
	if !z.options.mayAsk(ip, inside) {
		return false
	}
	s := z.servers.Find(netip.AddrPortFrom(ip, 53))
	return s < 0 || !z.servers.At(s).Barred(now)
}

// allUnasked says whether a task has asked nobody because the addresses of all servers are not asked.
func (z *delegations) allUnasked(t *task, i int32) bool {
	if !t.delegated || z.at(i).naddrs == 0 {
		return false
	}
	d := z.at(i)
	for _, a := range d.addrs[:d.naddrs] {
		if ip := netip.AddrFrom16(a).Unmap(); d.inside || !z.options.unasked(ip) {
			return false
		}
	}
	return true
}
