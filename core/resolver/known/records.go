package known

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Records holds resource records one behind the other, without compression:
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
type Records []byte

const recordHeader = 12

// Count returns the number of records.
func (r Records) Count() (n int) {
	for len(r) > 0 {
		_, rest, ok := r.Next()
		if !ok {
			break
		}
		n, r = n+1, rest
	}
	return n
}

// Record is one of them, borrowed from the buffer.
type Record struct {
	Section wire.Section
	Owner   dname.Name
	Type    wire.Type
	Class   wire.Class
	TTL     uint32
	RData   []byte
	Made    bool // the CNAME that follows from a DNAME
	Ours    bool // of a zone that is served here
}

const (
	// MadeHere is added to the section of a record that was made here rather than received.
	MadeHere = 0x80

	ourZone = 0x40
)

// Begin appends a record whose RDATA is still to be appended; Seal completes it.
func (r Records) Begin(s wire.Section, owner dname.Name, t wire.Type, c wire.Class, ttl uint32) Records {
	r = append(r, byte(s), byte(len(owner)))
	r = binary.BigEndian.AppendUint16(r, uint16(t))
	r = binary.BigEndian.AppendUint16(r, uint16(c))
	r = binary.BigEndian.AppendUint32(r, ttl)
	r = append(r, 0, 0)
	return append(r, owner...)
}

// Seal completes the record that begins at start. RDATA has at most 65535 octets: it came in a message.
func (r Records) Seal(start int) {
	n := len(r) - start - recordHeader - int(r[start+1])
	binary.BigEndian.PutUint16(r[start+10:], uint16(n))
}

// Next takes the first record off r.
func (r Records) Next() (rec Record, rest Records, ok bool) {
	if len(r) < recordHeader {
		return Record{}, nil, false
	}
	owner := recordHeader + int(r[1])
	end := owner + int(binary.BigEndian.Uint16(r[10:]))
	return Record{
		Section: wire.Section(r[0] &^ (MadeHere | ourZone)), Made: r[0]&MadeHere != 0, Ours: r[0]&ourZone != 0, Owner: dname.Name(r[recordHeader:owner]), RData: r[owner:end],
		Type: wire.Type(binary.BigEndian.Uint16(r[2:])), Class: wire.Class(binary.BigEndian.Uint16(r[4:])),
		TTL: binary.BigEndian.Uint32(r[6:]),
	}, r[end:], true
}

// MarkOurs notes that the records are those of zones that are served here.
func (r Records) MarkOurs() {
	for len(r) > 0 {
		r[0] |= ourZone
		_, rest, ok := r.Next()
		if !ok {
			return
		}
		r = rest
	}
}

// Has says whether there is a record like rec, whatever its TTL.
func (r Records) Has(rec *Record) bool {
	for len(r) > 0 {
		have, rest, ok := r.Next()
		if !ok {
			return false
		}
		if have.Type == rec.Type && have.Section == rec.Section && dname.Equal(have.Owner, rec.Owner) && string(have.RData) == string(rec.RData) {
			return true
		}
		r = rest
	}
	return false
}

// Sum is a checksum that does not depend on the order of the records nor on their TTLs.
func (r Records) Sum() uint64 {
	var total uint64
	for len(r) > 0 {
		rec, rest, ok := r.Next()
		if !ok {
			break
		}
		h := dname.Mix(uint64(rec.Section)<<32 | uint64(rec.Type)<<16 | uint64(rec.Class))
		h = dname.Mix(h ^ dname.Hash(h, rec.Owner))
		for _, b := range rec.RData {
			h = h*0x100000001b3 ^ uint64(b)
		}
		total += dname.Mix(h)
		r = rest
	}
	return total
}

// Add appends a whole record.
func (r Records) Add(s wire.Section, owner dname.Name, t wire.Type, c wire.Class, ttl uint32, rdata []byte) Records {
	start := len(r)
	r = append(r.Begin(s, owner, t, c, ttl), rdata...)
	r.Seal(start)
	return r
}

// HasSOA says whether a denial has the SOA record of its zone.
func (r Records) HasSOA() bool {
	for rest := r; len(rest) > 0; {
		rec, next, _ := rest.Next()
		if rec.Type == wire.TypeSOA && rec.Section == wire.Authority {
			return true
		}
		rest = next
	}
	return false
}

// Aliased says whether records lead to another name.
func (r Records) Aliased() bool {
	for ; len(r) >= recordHeader; r = r.Skip() {
		if wire.Type(binary.BigEndian.Uint16(r[2:])) == wire.TypeCNAME && r.Section() == wire.Answer {
			return true
		}
	}
	return false
}

// Section is that of the first record. There is one.
func (r Records) Section() wire.Section { return wire.Section(r[0] &^ (MadeHere | ourZone)) }

// Skip takes the first record off r. There is one.
func (r Records) Skip() Records {
	return r[recordHeader+int(r[1])+int(binary.BigEndian.Uint16(r[10:])):]
}

// setTTL changes the TTL of the first record.
func (r Records) setTTL(ttl uint32) { binary.BigEndian.PutUint32(r[6:], ttl) }
