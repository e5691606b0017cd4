package zone

import "heimdall/core/wire"

// refer appends the referral to the zone that is delegated at f.
func (r *reply) refer(f found) {
	node := r.z.node(f.node)
	ns, _ := rrset(node, wire.TypeNS)
	at := r.put(wire.Authority, r.suffix(f.at), ns, nil)
	if at == 0 {
		return
	}
	r.helpful = additional{z: r.z, recs: ns, at: at, origin: r.w.origin, cut: nodeName(node), referral: true}
	if !r.do || !r.z.Signed() {
		return
	}
	if ds, sigs := rrset(node, wire.TypeDS); ds != nil {
		r.put(wire.Authority, r.suffix(f.at), ds, sigs)
		return
	}
	r.proveInsecure(f)
}
