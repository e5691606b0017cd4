package zone

import "heimdall/core/wire"

// maxProofs limits the NSEC or NSEC3 records of a response: one for each wildcard on the way, three or four
// at the end.
const maxProofs = maxSteps + 4

// proof is a node whose NSEC or NSEC3 record is part of the response.
type proof struct {
	z      *Zone
	node   uint32
	origin uint16 // where the zone's origin stands in the message
}

// prove adds a node's NSEC or NSEC3 record to the response, once.
func (r *reply) prove(node uint32) {
	if node == 0 || r.proven == maxProofs {
		return
	}
	p := proof{r.z, node, r.w.origin}
	for i := range r.proofs[:r.proven] {
		if r.proofs[i].z == p.z && r.proofs[i].node == node {
			return
		}
	}
	r.proofs[r.proven] = p
	r.proven++
}

// putProofs appends the records to the authority section.
func (r *reply) putProofs() {
	var label [1 + hashLen*8/5]byte
	saved := r.w.origin
	for i := range r.proofs[:r.proven] {
		p := &r.proofs[i]
		node := p.z.node(p.node)
		t, labels := wire.TypeNSEC, nodeName(node)
		if len(labels) > 0 && labels[0] == hashMark {
			t, labels = wire.TypeNSEC3, appendHash(label[:0], labels[1:])
		}
		recs, sigs := rrset(node, t)
		o := owner{labels: labels, pointer: p.origin}
		if len(p.z.origin) == 1 {
			o.pointer = 0
		}
		r.w.origin = p.origin
		r.put(wire.Authority, o, recs, sigs)
	}
	r.w.origin = saved
}

// proveAbsent adds what proves that the name does not exist (RFC 4035, section 3.1.3.2; RFC 5155, section
// 7.2.2).
func (r *reply) proveAbsent(f found) {
	if !r.do {
		return
	}
	if r.z.hashes.len() > 0 {
		r.hashEnclosed(f, true)
		return
	}
	r.prove(r.z.nsecBefore(r.name()[:r.rel]))
	saved := asterisk(r.name(), f.at)
	r.prove(r.z.nsecBefore(r.name()[f.at-2 : r.rel]))
	restore(r.name(), f.at, saved)
}

// proveNoData adds what proves that a node, which may be a wildcard, has no records of the type (RFC 4035,
// sections 3.1.3.1 and 3.1.3.4; RFC 5155, sections 7.2.3 to 7.2.5).
func (r *reply) proveNoData(node []byte, f found) {
	if !r.do {
		return
	}
	if r.z.hashes.len() > 0 {
		if f.how == expanded {
			r.hashEnclosed(f, false)
			r.prove(r.z.hashOf(nodeName(node)))
			return
		}
		if match := r.z.hashOf(r.name()[:r.rel]); match != 0 {
			r.prove(match)
			return
		}
		// RFC 5155, section 7.2.4: no record matches below an opt-out delegation.
		r.hashProvable(0)
		return
	}
	if f.how == expanded {
		r.prove(r.z.nsecBefore(r.name()[:r.rel]))
	}
	r.prove(r.z.nsecBefore(nodeName(node)))
}

// proveExpanded adds what proves that the name itself does not exist, for which a wildcard stands (RFC 4035,
// section 3.1.3.3; RFC 5155, section 7.2.6).
func (r *reply) proveExpanded(f found) {
	switch {
	case !r.do:
	case r.z.hashes.len() > 0:
		r.prove(r.z.hashBefore(r.name()[f.next:r.rel]))
	default:
		r.prove(r.z.nsecBefore(r.name()[:r.rel]))
	}
}

// proveInsecure adds what proves that a delegation has no DS record (RFC 4035, section 3.1.4; RFC 5155,
// section 7.2.7).
func (r *reply) proveInsecure(f found) {
	cut := r.name()[f.at:r.rel]
	if r.z.hashes.len() == 0 {
		r.prove(r.z.nsecBefore(cut))
		return
	}
	if match := r.z.hashOf(cut); match != 0 {
		r.prove(match)
		return
	}
	r.hashProvable(f.at)
}

// hashEnclosed adds the closest encloser proof for f (RFC 5155, section 7.2.1), and, if wanted, the record
// that covers the wildcard.
func (r *reply) hashEnclosed(f found, wildcard bool) {
	at, next := f.at, f.next
	match := r.z.hashOf(r.name()[at:r.rel])
	for match == 0 && at < r.rel {
		// The closest encloser may be an empty non-terminal above opt-out delegations only, and not be in
		// the chain: take the closest that is (RFC 5155, section 7.2.1, "provable").
		next, at = at, at+1+int(r.name()[at])
		match = r.z.hashOf(r.name()[at:r.rel])
	}
	r.prove(match)
	r.prove(r.z.hashBefore(r.name()[next:r.rel]))
	if wildcard {
		saved := asterisk(r.name(), at)
		r.prove(r.z.hashBefore(r.name()[at-2 : r.rel]))
		restore(r.name(), at, saved)
	}
}

// hashProvable adds the closest encloser proof for the name that follows the first n octets, which exists but
// is not in the chain.
func (r *reply) hashProvable(n int) {
	if n >= r.rel {
		return
	}
	r.hashEnclosed(found{at: n + 1 + int(r.name()[n]), next: n}, false)
}
