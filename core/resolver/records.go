package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// records holds resource records one behind the other, without compression:
//
//	0  1  section; 0x80 is added to what was made here rather than received, 0x40 to what a zone served here has
//	1  1  length of the owner
//	2  2  type
//	4  2  class
//	6  4  TTL
//	10 2  length of the RDATA
//	12    owner, RDATA
//
// Integers are big endian.
type records []byte

const recordHeader = 12

// count returns the number of records.
func (r records) count() (n int) {
	for len(r) > 0 {
		_, rest, ok := r.next()
		if !ok {
			break
		}
		n, r = n+1, rest
	}
	return n
}

// record is one of them, borrowed from the buffer.
type record struct {
	section wire.Section
	owner   dname.Name
	typ     wire.Type
	class   wire.Class
	ttl     uint32
	rdata   []byte
	made    bool // the CNAME that follows from a DNAME
	ours    bool // of a zone that is served here
}

const (
	madeHere = 0x80
	ourZone  = 0x40
)

// begin appends a record whose RDATA is still to be appended; seal completes it.
func (r records) begin(s wire.Section, owner dname.Name, t wire.Type, c wire.Class, ttl uint32) records {
	r = append(r, byte(s), byte(len(owner)))
	r = binary.BigEndian.AppendUint16(r, uint16(t))
	r = binary.BigEndian.AppendUint16(r, uint16(c))
	r = binary.BigEndian.AppendUint32(r, ttl)
	r = append(r, 0, 0)
	return append(r, owner...)
}

// seal completes the record that begins at start. RDATA has at most 65535 octets: it came in a message.
func (r records) seal(start int) {
	n := len(r) - start - recordHeader - int(r[start+1])
	binary.BigEndian.PutUint16(r[start+10:], uint16(n))
}

// next takes the first record off r.
func (r records) next() (rec record, rest records, ok bool) {
	if len(r) < recordHeader {
		return record{}, nil, false
	}
	owner := recordHeader + int(r[1])
	end := owner + int(binary.BigEndian.Uint16(r[10:]))
	return record{
		section: wire.Section(r[0] &^ (madeHere | ourZone)), made: r[0]&madeHere != 0, ours: r[0]&ourZone != 0, owner: dname.Name(r[recordHeader:owner]), rdata: r[owner:end],
		typ: wire.Type(binary.BigEndian.Uint16(r[2:])), class: wire.Class(binary.BigEndian.Uint16(r[4:])),
		ttl: binary.BigEndian.Uint32(r[6:]),
	}, r[end:], true
}

// markOurs notes that the records are those of zones that are served here.
func (r records) markOurs() {
	for len(r) > 0 {
		r[0] |= ourZone
		_, rest, ok := r.next()
		if !ok {
			return
		}
		r = rest
	}
}

// has says whether there is a record like rec, whatever its TTL.
func (r records) has(rec *record) bool {
	for len(r) > 0 {
		have, rest, ok := r.next()
		if !ok {
			return false
		}
		if have.typ == rec.typ && have.section == rec.section && dname.Equal(have.owner, rec.owner) && string(have.rdata) == string(rec.rdata) {
			return true
		}
		r = rest
	}
	return false
}

// sum is a checksum that does not depend on the order of the records nor on their TTLs.
func (r records) sum() uint64 {
	var total uint64
	for len(r) > 0 {
		rec, rest, ok := r.next()
		if !ok {
			break
		}
		h := dname.Mix(uint64(rec.section)<<32 | uint64(rec.typ)<<16 | uint64(rec.class))
		h = dname.Mix(h ^ dname.Hash(h, rec.owner))
		for _, b := range rec.rdata {
			h = h*0x100000001b3 ^ uint64(b)
		}
		total += dname.Mix(h)
		r = rest
	}
	return total
}

// chainLimit bounds what a task may keep of a chain of aliases, in octets: maxChain signed CNAME or DNAME
// records with the longest names.
const chainLimit = 16 << 10

// chainKept is what a buffer of a chain may have grown to and still be kept, in octets.
const chainKept = 1024

// chains are the buffers of the tasks that have followed an alias. They are made when first needed and
// then used again; there are never more than tasks.
type chains struct {
	list []records
	free []int32
}

// extend appends recs to the buffer *at, which it makes if it is -1.
func (c *chains) extend(at *int32, recs records) {
	if *at < 0 {
		if n := len(c.free); n > 0 {
			*at, c.free = c.free[n-1], c.free[:n-1]
		} else {
			*at = int32(len(c.list))
			c.list = append(c.list, make(records, 0, chainKept))
		}
	}
	c.list[*at] = append(c.list[*at], recs...)
}

// get returns the content of buffer at; at may be -1.
func (c *chains) get(at int32) records {
	if at < 0 {
		return nil
	}
	return c.list[at]
}

// release gives the buffer *at back and returns how much of what is held is free again.
func (c *chains) release(at *int32) (freed int) {
	if *at >= 0 {
		freed = len(c.list[*at])
		c.list[*at] = trim(c.list[*at], chainKept)
		c.free = append(c.free, *at)
		*at = -1
	}
	return freed
}
