package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Record is one record of a Zone.
type Record struct {
	Owner dname.Name
	Type  wire.Type
	TTL   uint32
	RData []byte // uncompressed
}

// Each calls f with every record, the SOA first, the rest in no particular order, until f returns false. The
// record is valid during the call.
func (z *Zone) Each(f func(r *Record) bool) {
	var r Record
	if z.Ready() && z.eachAt(z.apex, &r, f) {
		z.eachRef(func(ref uint32) bool { return ref == z.apex || z.eachAt(ref, &r, f) })
	}
}

// eachAt calls f with the records of one node.
func (z *Zone) eachAt(ref uint32, r *Record, f func(r *Record) bool) bool {
	node := z.node(ref)
	r.Owner = z.appendName(r.Owner[:0], node)
	apex := ref == z.apex
	emit := func(rec []byte) bool {
		r.Type, r.TTL = recordType(rec), recordTTL(rec)
		r.RData = appendExpanded(r.RData[:0], z.origin, r.Type, rec[recordLen:recordSize(rec)])
		return f(r)
	}
	if apex && !emit(z.soa) {
		return false
	}
	for rest := nodeRecords(node); len(rest) >= recordLen; rest = rest[recordSize(rest):] {
		if apex && recordType(rest) == wire.TypeSOA {
			continue
		}
		if !emit(rest) {
			return false
		}
	}
	return true
}

// Records returns the number of records added so far.
func (b *Builder) Records() int { return b.added }
