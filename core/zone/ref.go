package zone

import (
	"encoding/binary"
	"math/bits"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Ref is where the answer to a query begins to be looked for. The zero value is no zone's. It is of use with the
// Set and the query that it was made for only.
type Ref struct {
	z    *Zone
	hash uint32
	node uint32 // the name's node, probably; 0: unknown
	rel  uint8  // length of what precedes the zone's origin in the qname
	warm uint8  // octets loaded to have their cache lines at hand
	away bool   // see Away
}

// Zone returns the zone that answers, nil if none of the Set's does.
func (r *Ref) Zone() *Zone { return r.z }

// Away tells, after AppendReplyAt, whether the response ends with an alias to a name that is none of the Set's: whoever
// may use recursion can be told more.
func (r *Ref) Away() bool { return r.away }

// Locate finds the zone for a query and where its name would be.
func (s *Set) Locate(q *wire.Query) Ref {
	if q.Class != wire.ClassIN || len(s.zones) == 0 || q.Name == nil {
		return Ref{}
	}
	var low [dname.MaxLen]byte
	n := dname.AppendLower(low[:0], q.Name)
	z, rel := s.enclosing(n, q.Type)
	if z == nil {
		return Ref{}
	}
	return Ref{z: z, hash: hashOf(z.seed, n[:rel]), rel: uint8(rel)}
}

// Prefetch loads what AppendReplyAt will need first of each of a batch of Refs. In a large zone each of these
// loads misses the caches; here the misses of the batch overlap.
func Prefetch(batch []Ref) {
	for i := range batch {
		if r := &batch[i]; r.z != nil {
			r.warm = r.z.mem[int(r.z.bucketOf(r.hash))*bucketLen]
		}
	}
	for i := range batch {
		if r := &batch[i]; r.z != nil {
			r.node = r.z.candidate(r.hash)
		}
	}
	for i := range batch {
		if r := &batch[i]; r.node != 0 {
			// A node begins in one line and often ends in the next.
			at := int(r.node) * refUnit
			r.warm += r.z.mem[at] + r.z.mem[min(at+bucketLen/2, len(r.z.mem)-1)]
		}
	}
}

// candidate returns the node of the first entry of a hash's bucket whose tag matches, 0 if there is none.
func (z *Zone) candidate(hash uint32) uint32 {
	bucket := z.mem[int(z.bucketOf(hash))*bucketLen:][:bucketLen]
	tag := everyOctet * uint64(byte(hash))
	slot := bucketSlots
	x := binary.LittleEndian.Uint64(bucket) ^ tag
	if x = (x - everyOctet) &^ x & highBits; x != 0 {
		slot = bits.TrailingZeros64(x) / 8
	} else {
		y := uint64(binary.LittleEndian.Uint32(bucket[8:])^uint32(tag)) | 0xFF<<32
		if y = (y - everyOctet) &^ y & highBits & 0xFFFFFFFF; y != 0 {
			slot = 8 + bits.TrailingZeros64(y)/8
		}
	}
	if slot >= int(bucket[12]) {
		return 0
	}
	return binary.LittleEndian.Uint32(bucket[16+slot*4:])
}

// exact returns the node of the qname, given in lower case and without the origin.
func (r *Ref) exact(n []byte) uint32 {
	if r.node != 0 && r.z.named(r.node, n) {
		return r.node
	}
	return r.z.lookup(r.hash, n)
}
