package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// additional says which addresses belong into the additional section: those of the names in an RRset.
type additional struct {
	z        *Zone
	recs     []byte // the RRset; nil: none
	at       int    // where it stands in the message
	origin   uint16 // where the zone's origin stands in the message
	referral bool
	cut      []byte // of a referral, without the zone's origin
}

// maxTargets limits the names whose addresses are added to an answer, so that none is added twice. A
// referral's names differ as its NS records do.
const maxTargets = 32

// want notes that recs, an RRset of the answer at the given offset, names hosts (RFC 1035, sections 3.3.9
// and 3.3.11; RFC 2782; RFC 9460, section 4.1).
func (r *reply) want(recs []byte, at int) {
	if namesHosts(recordType(recs)) {
		r.helpful = additional{z: r.z, recs: recs, at: at, origin: r.w.origin}
	}
}

func namesHosts(t wire.Type) bool {
	switch t {
	case wire.TypeNS, wire.TypeMX, wire.TypeSRV, wire.TypeSVCB, wire.TypeHTTPS:
		return true
	}
	return false
}

// putAdditional appends the addresses, first those that a client cannot do without.
func (r *reply) putAdditional() {
	h := &r.helpful
	if h.recs == nil {
		return
	}
	r.w.origin = h.origin
	if h.referral {
		// RFC 9471, section 3.1: glue below the cut is required; TC if it does not fit.
		if !r.addresses(true) {
			r.full = true
			return
		}
	}
	r.addresses(false)
}

// addresses appends the addresses of a referral's hosts below the cut, or those of all other hosts. It
// returns false once something does not fit.
func (r *reply) addresses(required bool) bool {
	h := &r.helpful
	var seen [maxTargets]uint32
	count := 0
	at := h.at
	for recs := h.recs; len(recs) >= recordLen; recs = recs[recordSize(recs):] {
		at, _ = dname.Skip(r.w.buf[r.w.base:], at)
		rdata := at + recordLen
		at += recordSize(recs)
		var buf [dname.MaxLen + 1]byte
		n, before, ok := h.z.target(buf[:0], recs)
		if !ok || rdata+before > maxPointer || (h.referral && below(n, h.cut)) != required {
			continue
		}
		node, expanded := h.z.host(n)
		if node == 0 {
			continue
		}
		if !h.referral {
			if count == maxTargets {
				return true
			}
			if !expanded && containsRef(seen[:count], node) {
				continue
			}
			seen[count] = node
			count++
		}
		if !r.address(node, owner{pointer: uint16(rdata + before)}, expanded) {
			return false
		}
	}
	return true
}

func containsRef(list []uint32, ref uint32) bool {
	for _, r := range list {
		if r == ref {
			return true
		}
	}
	return false
}

// host returns the node that has the addresses of a host, given in lower case and without the origin: its own, or
// the wildcard that stands for it, as below a cut other servers take it, too. 0: there is none.
func (z *Zone) host(n []byte) (ref uint32, expanded bool) {
	if ref = z.find(n); ref != 0 || len(n) == 0 {
		return ref, false
	}
	at := 0
	for encloser := uint32(0); encloser == 0; {
		if at += 1 + int(n[at]); at == len(n) {
			encloser = z.apex
		} else {
			encloser = z.find(n[at:])
		}
		if encloser != 0 && z.flags(encloser)&flagWild == 0 {
			return 0, false
		}
	}
	saved := asterisk(n, at)
	ref = z.find(n[at-2:])
	restore(n, at, saved)
	return ref, true
}

// address appends the A and AAAA records of a node.
func (r *reply) address(ref uint32, o owner, expanded bool) bool {
	node := r.helpful.z.node(ref)
	for _, t := range [...]wire.Type{wire.TypeA, wire.TypeAAAA} {
		recs, sigs := rrset(node, t)
		if recs == nil {
			continue
		}
		if expanded && r.do && len(sigs) > 0 {
			continue // nobody could validate it without the proof that the name itself does not exist
		}
		m := r.w.mark()
		_, ok := r.w.set(wire.Additional, o, recs)
		if ok && r.do && len(sigs) > 0 {
			_, ok = r.w.set(wire.Additional, o, sigs)
		}
		if !ok {
			r.w.rollback(m)
			return false
		}
	}
	return true
}

// target appends the host that a record names to dst, in lower case and without the zone's origin. before
// is where the name begins in the RDATA. ok is false when the host is not in the zone.
func (z *Zone) target(dst, rec []byte) (n []byte, before int, ok bool) {
	t := recordType(rec)
	rdata := rec[recordLen:recordSize(rec)]
	before, compact := nameFields(t)
	if compact > 0 {
		labels, inside, _ := compactName(rdata[before:])
		return dname.AppendLower(dst, labels), before, inside || len(z.origin) == 1
	}
	switch t {
	case wire.TypeSRV:
		before = 6
	case wire.TypeSVCB, wire.TypeHTTPS:
		before = 2
	default:
		return nil, 0, false
	}
	full, ok := dname.Parse(rdata[before:])
	if !ok || !full.In(z.origin) {
		return nil, 0, false
	}
	return dname.AppendLower(dst, full[:len(full)-len(z.origin)]), before, true
}

// below reports whether n is cut or lies below it, both in lower case and without the origin.
func below(n, cut []byte) bool {
	for len(n) > len(cut) {
		n = n[1+int(n[0]):]
	}
	return string(n) == string(cut)
}
