package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// RRset is one RRset with the signatures that came with it. Everything is borrowed.
type RRset struct {
	Owner   dname.Name
	Type    wire.Type
	Class   wire.Class
	Section wire.Section // of the response that it is from
	TTL     uint32       // seconds; validation lowers it to what the signature allows
	Data    [][]byte     // RDATA, names in it uncompressed
	Sigs    [][]byte     // RDATA of the RRSIG records for Type at Owner

	// Result is what validation found out. Validate takes a set for verified that is Secure beforehand,
	// as one from a cache may be, if Signer is the zone it should come from.
	Result
	// Signer is the zone that signed a Secure set.
	Signer dname.Name
	// Encloser is set in a Secure set that was made from a wildcard: the name that the wildcard stands
	// directly below, a piece of Owner.
	Encloser dname.Name
}

// Expanded reports whether s is Secure and made from a wildcard. Its authenticity then hangs on a proof
// that no closer name exists.
func (s *RRset) Expanded() bool { return s.Encloser != nil }

// signer returns the name of the zone that claims to have signed s, nil if none that could have. Of several
// it takes the deepest: only one zone has s, and Walk falls back to the one above if that is none.
func (s *RRset) signer() dname.Name {
	var best dname.Name
	for _, rdata := range s.Sigs {
		sig, ok := ParseRRSIG(rdata)
		if !ok || sig.TypeCovered != s.Type || !maySign(sig.Signer, s) {
			continue
		}
		if best == nil || len(sig.Signer) > len(best) {
			best = sig.Signer
		}
	}
	return best
}

// maySign reports whether s can be in the zone: its owner is in it, and a DS RRset belongs to the parent
// of the zone that it is for (RFC 4035, section 2.4).
func maySign(zone dname.Name, s *RRset) bool {
	if s.Type == wire.TypeDS && len(s.Owner) == len(zone) {
		return false
	}
	return s.Owner.In(zone)
}

// signableLabels counts the labels of owner as RRSIG's Labels field does: without a leading asterisk (RFC
// 4034, section 3.1.3).
func signableLabels(owner dname.Name) int {
	n := owner.Labels()
	if owner.IsWildcard() {
		n--
	}
	return n
}
