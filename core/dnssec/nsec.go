package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// NSEC is the RDATA of an NSEC record (RFC 4034, section 4.1).
type NSEC struct {
	Next  dname.Name
	Types Bitmap
}

// ParseNSEC reads RDATA, whose name must not be compressed. The fields are pieces of rdata. The bit map of
// an NSEC record is not empty: it has the bits for NSEC and RRSIG at least.
func ParseNSEC(rdata []byte) (n NSEC, ok bool) {
	next, ok := dname.Parse(rdata)
	if !ok || len(next) == len(rdata) {
		return n, false
	}
	types, ok := ParseBitmap(rdata[len(next):])
	if !ok {
		return n, false
	}
	return NSEC{Next: next, Types: types}, true
}

// span is a verified NSEC record: it proves that the zone has no name between owner and next. A span from
// the last name of the zone has the apex as next.
type span struct {
	owner, next dname.Name
	types       Bitmap
	ttl         uint32 // seconds
}

// covers reports whether s proves that name has no records. Either it does not exist, or it is an empty
// non-terminal: see hasBelow.
func (s *span) covers(name dname.Name) bool {
	if dname.Compare(s.owner, name) >= 0 || s.ends(name) {
		return false
	}
	// The last record of a zone points back to the apex, which is not after any name.
	return dname.Compare(name, s.next) < 0 || dname.Compare(s.next, s.owner) <= 0
}

// ends reports whether the zone's authority ends at s's owner, above name, so that s says nothing about
// name (RFC 6840, sections 4.1 and 4.3).
func (s *span) ends(name dname.Name) bool {
	return (s.types.delegation() || s.types.Has(wire.TypeDNAME)) &&
		len(name) > len(s.owner) && name.In(s.owner)
}

// hasBelow reports whether s, which covers name, shows that there are names below it: it is an empty
// non-terminal.
func (s *span) hasBelow(name dname.Name) bool { return s.next.In(name) }

// encloser returns the closest encloser of name, which s covers: the longest ancestor that it shares with
// either end of s.
func (s *span) encloser(name dname.Name) dname.Name {
	return name.Suffix(max(dname.CommonLabels(name, s.owner), dname.CommonLabels(name, s.next)))
}
