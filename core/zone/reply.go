package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// maxSteps limits the CNAME and DNAME records that are followed for one query. Resolvers give up at
// 8 to 17 of them.
const maxSteps = 16

// AppendReply appends the response to q to dst: header, question and sections, without an OPT record. The
// response takes at most limit octets, which are at least 512; what does not fit is left out, and TC is set
// if it was more than additional records that the client can do without (RFC 2181, section 9; RFC 9471).
//
// flags are those of the response, QR among them; AA, TC and the rcode are set here. ok is false, and dst
// unchanged, when no zone of s encloses the qname or the class is not IN. The rcode is SERVFAIL when the zone is
// not ready, and in no other case.
//
// Nothing is allocated if dst has room for limit octets.
func (s *Set) AppendReply(dst []byte, q *wire.Query, limit int, flags uint16) (msg []byte, rcode wire.Rcode, ok bool) {
	ref := s.Locate(q)
	return s.AppendReplyAt(&ref, dst, q, limit, flags)
}

// AppendReplyAt is AppendReply for a query that was located before, perhaps with others of a batch.
func (s *Set) AppendReplyAt(ref *Ref, dst []byte, q *wire.Query, limit int, flags uint16) (msg []byte, rcode wire.Rcode, ok bool) {
	if ref.z == nil {
		return dst, 0, false
	}
	var low [dname.MaxLen]byte
	n := dname.AppendLower(low[:0], q.Name)
	rel := int(ref.rel)
	w := writer{buf: dst, base: len(dst), limit: min(limit, wire.MaxLen), origin: uint16(wire.HeaderLen + rel)}
	w.question(q)
	flags &^= wire.FlagAA | wire.FlagTC | wire.RcodeMask
	exact := ref.exact(n[:rel])
	if ref.z.quick(&w, q, exact) {
		w.finish(flags | wire.FlagAA)
		return w.buf, wire.RcodeNoError, true
	}
	if !ref.z.Ready() {
		w.finish(flags | uint16(wire.RcodeServFail))
		return w.buf, wire.RcodeServFail, true
	}
	r := reply{w: w, set: s, qtype: q.Type, do: q.DO, z: ref.z, rel: rel, at: wire.HeaderLen}
	r.size = copy(r.names[0][:], n)
	r.answer(exact)
	ref.away = r.away
	r.w.finish(flags | r.flags | uint16(r.rcode))
	return r.w.buf, r.rcode, true
}

// quick answers the common case: ref is the name's node, with the records asked for, which name no hosts, and all
// fits. Else it leaves w as it is.
func (z *Zone) quick(w *writer, q *wire.Query, ref uint32) bool {
	if ref == 0 || z.flags(ref)&(flagCut|flagBelow) != 0 {
		return false
	}
	recs, sigs := rrset(z.node(ref), q.Type)
	if recs == nil || namesHosts(q.Type) || q.Type == wire.TypeRRSIG {
		return false
	}
	m := w.mark()
	_, ok := w.set(wire.Answer, owner{pointer: wire.HeaderLen}, recs)
	if ok && q.DO && len(sigs) > 0 {
		_, ok = w.set(wire.Answer, owner{pointer: wire.HeaderLen}, sigs)
	}
	if !ok {
		w.rollback(m)
	}
	return ok
}

// reply is a response in the making.
type reply struct {
	w     writer
	set   *Set
	qtype wire.Type
	do    bool // with DNSSEC records
	flags uint16
	rcode wire.Rcode
	full  bool // something did not fit: write no more
	away  bool // the last alias leads out of the set

	// The name that is looked for: the qname, then whatever CNAME and DNAME records lead to.
	z    *Zone
	turn uint8 // names[turn][:size] is the name, whole, in lower case
	size int
	rel  int // length of what precedes the zone's origin in it
	at   int // offset in the message, where at least its labels before the origin stand

	names   [2][dname.MaxLen + 1]byte // the present name and the next take turns
	steps   int
	visited [maxSteps]visit

	proofs  [maxProofs]proof
	proven  int
	helpful additional
}

// visit is a node whose CNAME or DNAME was followed, and the hash of the name for which it was.
type visit struct {
	z    *Zone
	node uint32
	name uint64
}

// name is the name that is looked for.
func (r *reply) name() []byte { return r.names[r.turn&1][:r.size] }

// answer fills the message. exact is the node of the qname, 0 if there is none.
func (r *reply) answer(exact uint32) {
	if r.qtype == wire.TypeAXFR || r.qtype == wire.TypeIXFR {
		r.rcode = wire.RcodeRefused // a transfer is no matter of one message
		return
	}
	for r.step(exact) {
		exact = r.z.find(r.name()[:r.rel])
	}
	if !r.full && r.do {
		r.putProofs()
	}
	if !r.full {
		r.putAdditional()
	}
	if r.full {
		r.flags |= wire.FlagTC
	}
}

// step answers for one name, and reports whether there is another to go on with.
func (r *reply) step(exact uint32) bool {
	f := r.z.search(r.name(), r.rel, exact, r.qtype)
	if f.how == expanded && r.z.flags(f.node)&flagCut != 0 && r.qtype != wire.TypeDS {
		// RFC 4592, section 4.2, leaves it open what a wildcard with NS records means. Here it is a
		// delegation of the name below it, which resolvers can make use of.
		f.how, f.at = referred, 0
	}
	if f.how != referred || r.steps > 0 {
		r.flags |= wire.FlagAA
	}
	switch f.how {
	case matched, expanded:
		return r.match(r.z.node(f.node), f)
	case referred:
		r.refer(f)
	case renamed:
		return r.rename(f)
	default:
		r.rcode = wire.RcodeNXDomain
		r.negative()
		r.proveAbsent(f)
	}
	return false
}

// here is the name that is looked for as an owner.
func (r *reply) here() owner { return r.suffix(0) }

// suffix is the owner that consists of what follows the first n octets of the name.
func (r *reply) suffix(n int) owner {
	switch {
	case n < r.rel:
		return owner{pointer: uint16(r.at + n)}
	case len(r.z.origin) == 1:
		return owner{}
	}
	return owner{pointer: r.w.origin}
}

// match answers from the node that has the name, or from the wildcard that stands for it.
func (r *reply) match(node []byte, f found) bool {
	t := r.qtype
	if t == wire.TypeANY || t == wire.TypeRRSIG {
		return r.matchSome(node, f)
	}
	if recs, sigs := rrset(node, t); recs != nil {
		if f.how == expanded {
			r.proveExpanded(f)
		}
		if at := r.put(wire.Answer, r.here(), recs, sigs); at > 0 {
			r.want(recs, at)
		}
		return false
	}
	if cname, sigs := rrset(node, wire.TypeCNAME); cname != nil && t != wire.TypeNSEC {
		if f.how == expanded {
			r.proveExpanded(f)
		}
		return r.follow(f, cname, sigs)
	}
	r.negative()
	r.proveNoData(node, f)
	return false
}

// matchSome answers a query for all types, or for all signatures, with one RRset (RFC 8482, section 4.1).
func (r *reply) matchSome(node []byte, f found) bool {
	rest := nodeRecords(node)
	for len(rest) >= recordLen {
		size, n := nextSet(rest)
		recs, sigs := rest[:n], rest[n:size]
		if r.qtype == wire.TypeRRSIG {
			recs, sigs = sigs, nil
		}
		if len(recs) > 0 {
			if f.how == expanded {
				r.proveExpanded(f)
			}
			r.put(wire.Answer, r.here(), recs, sigs)
			return false
		}
		rest = rest[size:]
	}
	r.negative()
	r.proveNoData(node, f)
	return false
}

// put appends an RRset, with its signatures if the client wants them, and returns its offset in the message;
// 0 if it did not fit, which ends the message.
func (r *reply) put(s wire.Section, o owner, recs, sigs []byte) int {
	if r.full {
		return 0
	}
	m := r.w.mark()
	at, ok := r.w.set(s, o, recs)
	if ok && r.do && len(sigs) > 0 {
		if len(o.labels) > 0 && at <= maxPointer {
			o = owner{pointer: uint16(at)}
		}
		_, ok = r.w.set(s, o, sigs)
	}
	if !ok {
		r.w.rollback(m)
		r.full = true
		return 0
	}
	return at
}

// negative appends the SOA record of a negative response (RFC 2308, section 3).
func (r *reply) negative() {
	recs, sigs := rrset(r.z.node(r.z.apex), wire.TypeSOA)
	if at := r.put(wire.Authority, r.suffix(r.rel), recs, sigs); at > 0 {
		r.w.patchTTL(at, r.z.negTTL)
	}
}
