package zone

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// follow appends a CNAME record and goes on to its target.
func (r *reply) follow(f found, cname, sigs []byte) bool {
	cname = cname[:recordSize(cname)] // one at most (RFC 2181, section 10.1)
	again := r.again(f)
	if again && r.looped() {
		return false // RFC 2181, section 5: the record is there already
	}
	at := r.put(wire.Answer, r.here(), cname, sigs)
	if at == 0 || again {
		return false // did not fit, or a wildcard that leads to itself
	}
	labels, inside, _ := compactName(cname[recordLen:])
	n := dname.AppendLower(r.spare(), labels)
	if inside {
		n = append(n, r.z.origin...)
	} else {
		n = append(n, 0)
	}
	next, _ := dname.Skip(r.w.buf[r.w.base:], at) // over the owner
	return r.goOn(n, next+recordLen, inside, len(labels))
}

// rename appends a DNAME record and the CNAME record made from it, and goes on to that one's target (RFC
// 6672, section 3.2).
func (r *reply) rename(f found) bool {
	recs, sigs := rrset(r.z.node(f.node), wire.TypeDNAME)
	recs = recs[:recordSize(recs)]
	before := r.again(f)
	if before && r.looped() {
		return false
	}
	if !before {
		if r.put(wire.Answer, r.suffix(f.at), recs, sigs) == 0 {
			return false
		}
	}
	target := recs[recordLen:]
	size := f.at + len(target)
	if size > dname.MaxLen {
		r.rcode = wire.RcodeYXDomain
		return false
	}
	if !r.w.room(2 + recordLen + size) {
		r.full = true
		return false
	}
	n := append(r.spare(), r.name()[:f.at]...)
	n = dname.AppendLower(n, target)[:size]
	r.w.name(r.here())
	r.w.buf = binary.BigEndian.AppendUint16(r.w.buf, uint16(wire.TypeCNAME))
	r.w.buf = binary.BigEndian.AppendUint16(r.w.buf, uint16(wire.ClassIN))
	r.w.buf = binary.BigEndian.AppendUint32(r.w.buf, recordTTL(recs))
	r.w.buf = binary.BigEndian.AppendUint16(r.w.buf, uint16(size))
	at := r.w.len()
	// The labels that are kept keep their letter case as well.
	r.w.buf = append(r.w.buf, r.w.buf[r.w.base+r.at:][:f.at]...)
	r.w.buf = append(r.w.buf, target...)
	r.w.counts[wire.Answer]++
	if r.qtype == wire.TypeCNAME {
		return false // here it is
	}
	return r.goOn(n, at, false, 0)
}

// again notes that a node's CNAME or DNAME is followed, and reports whether it was before.
func (r *reply) again(f found) bool {
	v := visit{r.z, f.node, dname.Hash(0, r.name())}
	before := false
	for i := range r.visited[:r.steps] {
		before = before || r.visited[i].z == v.z && r.visited[i].node == v.node
	}
	r.visited[r.steps] = v
	return before
}

// looped reports whether the present name, noted last, was met before. Names are told apart by their hash: those
// of one chain do not collide by chance, and an operator who makes them do so shortens the chain.
func (r *reply) looped() bool {
	for i := range r.visited[:r.steps] {
		if r.visited[i].name == r.visited[r.steps].name {
			return true
		}
	}
	return false
}

// spare returns the buffer that the present name is not in.
func (r *reply) spare() []byte { return r.names[r.turn&1^1][:0] }

// goOn makes n, which is in the spare buffer and stands in the message at the given offset, the name that is looked for. It is written
// in full there, or, if inside is true, its first labels octets and a pointer to the present zone's origin.
// goOn returns false when n is in no zone of ours.
func (r *reply) goOn(n []byte, at int, inside bool, labels int) bool {
	if r.steps++; r.steps == maxSteps {
		return false
	}
	z, rel := r.set.enclosing(n, r.qtype)
	if inside && rel > labels {
		// The target is an apex, and the zone above answers for DS: the apex's name stands where the
		// pointer leads.
		at, inside = int(r.w.origin), false
	}
	r.away = z == nil
	// Names beyond what a pointer reaches are for another query, and so are those of a zone that is not ready.
	if z == nil || !z.Ready() || at+rel > maxPointer {
		return false
	}
	if !inside || rel < labels {
		r.w.origin = uint16(at + rel)
	}
	r.z, r.rel, r.at = z, rel, at
	r.turn, r.size = r.turn^1, len(n)
	return true
}
