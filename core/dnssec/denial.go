package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Denial is what NSEC and NSEC3 records of one zone prove about names in it. It answers for the records of
// a response as well as for those kept from former responses (RFC 8198). The zero value proves nothing;
// NewDenial makes one. Records and names are borrowed. Not safe for concurrent use.
//
// Its methods give Secure if the statement is proven; Insecure if it is proven that the statement needs no
// proof, as the name is or may be below an unsigned delegation; and Bogus with the reason if neither is.
type Denial struct {
	zone  dname.Name
	spans []span

	hashSpans []hashSpan
	param     NSEC3PARAM // of all hashSpans
	mixed     bool       // NSEC3 records with other parameters were there
	cost      int        // blocks a hash takes
	hashed    []hashedName
}

// hashedName is a hash that has been computed, so that no name is hashed twice.
type hashedName struct {
	name dname.Name
	hash [hashLen]byte
}

// NewDenial returns a Denial for the zone with the given apex.
func NewDenial(zone dname.Name) *Denial { return &Denial{zone: zone} }

// maxDenials is the number of records of one NSEC or NSEC3 RRset that are looked at. There is one, but for zones with
// two NSEC3 chains whose hashes collide; it bounds what an RRset of thousands would cost.
const maxDenials = 4

// Add takes the records of set, if they are NSEC or NSEC3 records of the zone, Secure, and such that they
// can prove something. It reports whether it took any.
func (d *Denial) Add(set *RRset) bool {
	if set.Status != Secure || !dname.Equal(set.Signer, d.zone) {
		return false
	}
	taken := false
	for _, rdata := range set.Data[:min(len(set.Data), maxDenials)] {
		switch set.Type {
		case wire.TypeNSEC:
			taken = d.addNSEC(set, rdata) || taken
		case wire.TypeNSEC3:
			taken = d.addNSEC3(set, rdata) || taken
		}
	}
	return taken
}

func (d *Denial) addNSEC(set *RRset, rdata []byte) bool {
	n, ok := ParseNSEC(rdata)
	if !ok {
		return false
	}
	owner := set.Owner
	if set.Expanded() {
		// An answer to a query for NSEC records, made from a wildcard: it speaks for the wildcard only.
		owner, _ = wildcard(set.Encloser)
	}
	if !owner.In(d.zone) || !n.Next.In(d.zone) {
		return false
	}
	// Only the zone's last record points back, and to nothing but the apex (RFC 4034, section 4.1.1).
	if dname.Compare(n.Next, owner) <= 0 && !dname.Equal(n.Next, d.zone) {
		return false
	}
	d.spans = append(d.spans, span{owner: owner, next: n.Next, types: n.Types, ttl: set.TTL})
	return true
}

func (d *Denial) addNSEC3(set *RRset, rdata []byte) bool {
	n, ok := ParseNSEC3(rdata)
	// RFC 5155, sections 8.1 and 8.2: records with an unknown hash or unknown flags are ignored.
	if !ok || n.Hash != hashSHA1 || n.Flags&^flagOptOut != 0 || len(n.Next) != hashLen {
		return false
	}
	owner, ok := parseHashLabel(set.Owner)
	if !ok || !dname.Equal(set.Owner.Parent(), d.zone) {
		return false
	}
	param := n.NSEC3PARAM
	param.Flags = 0
	if len(d.hashSpans) == 0 {
		d.param, d.cost = param, hashCost(param.Iterations, param.Salt)
	} else if param.Iterations != d.param.Iterations || string(param.Salt) != string(d.param.Salt) {
		d.mixed = true
	}
	d.hashSpans = append(d.hashSpans, hashSpan{
		owner: owner, next: [hashLen]byte(n.Next), types: n.Types, optOut: n.Flags&flagOptOut != 0, ttl: set.TTL,
	})
	return true
}

// NameError says whether name does not exist, and no wildcard stands in for it (RFC 4035, section 5.4; RFC
// 5155, section 8.4).
func (d *Denial) NameError(v *Validator, name dname.Name) Result {
	return d.either(v, func() Result { return d.nsecNameError(name) }, func() Result { return d.nsec3NameError(v, name) })
}

// NoData says whether name exists, or a wildcard stands in for it, but there is no record of type t.
func (d *Denial) NoData(v *Validator, name dname.Name, t wire.Type) Result {
	return d.either(v, func() Result { return d.nsecNoData(name, t) }, func() Result { return d.nsec3NoData(v, name, t) })
}

// Expansion says whether records of name may have been made from the wildcard directly below encloser: there
// is nothing closer to name (RFC 4035, section 5.3.4; RFC 5155, section 8.8).
func (d *Denial) Expansion(v *Validator, name, encloser dname.Name) Result {
	return d.either(v,
		func() Result { return d.nsecExpansion(name, encloser) },
		func() Result { return d.nsec3Expansion(v, name, encloser) })
}

// closestEncloser returns the closest encloser of name, Secure if it is proven to be that and name not to exist.
func (d *Denial) closestEncloser(v *Validator, name dname.Name) (encloser dname.Name, r Result) {
	if len(d.spans) > 0 {
		if encloser, ok := d.missing(name); ok {
			return encloser, Result{Secure, ReasonNone}
		}
	}
	if len(d.hashSpans) == 0 {
		return nil, Result{Bogus, ReasonDenialFails}
	}
	e, r := d.enclose(v, name)
	switch {
	case r.Status != Secure:
		return nil, r
	case e.next == nil:
		return nil, Result{Bogus, ReasonDenialFails}
	}
	return e.encloser, e.optOut()
}

// NoDS says what stands at name, which lies below the zone's apex, if it has no DS records.
func (d *Denial) NoDS(v *Validator, name dname.Name) (Cut, Result) {
	cut, r := NoCut, Result{Bogus, ReasonNoDenial}
	if len(d.spans) > 0 && name.In(d.zone) {
		cut, r = d.nsecNoDS(name)
	}
	if r.Status == Bogus && len(d.hashSpans) > 0 {
		cut, r = d.nsec3NoDS(v, name)
	}
	return cut, r
}

// either asks the NSEC records first, which cost little, and then the NSEC3 records if there are any.
func (d *Denial) either(v *Validator, nsec, nsec3 func() Result) Result {
	r := Result{Bogus, ReasonNoDenial}
	if len(d.spans) > 0 {
		r = nsec()
	}
	if r.Status == Bogus && len(d.hashSpans) > 0 {
		r = nsec3()
	}
	return r
}

// absent says whether a type bit map, of name itself or of the wildcard for it, proves that there is no
// record of type t.
func absent(types Bitmap, name dname.Name, t wire.Type) Result {
	if types.Has(t) || types.Has(wire.TypeCNAME) {
		return Result{Bogus, ReasonTypeExists}
	}
	if t == wire.TypeDS {
		// RFC 6840, section 4.4: the DS records of a zone are not to be found in the zone itself.
		if types.Has(wire.TypeSOA) && !name.IsRoot() {
			return Result{Bogus, ReasonDenialFails}
		}
		return Result{Secure, ReasonNone}
	}
	// RFC 6840, section 4.1: the parent side of a zone cut says nothing but about DS.
	switch {
	case types.insecureDelegation():
		return Result{Insecure, ReasonInsecureDelegation}
	case types.delegation():
		return Result{Bogus, ReasonDenialFails}
	}
	return Result{Secure, ReasonNone}
}

// Cut is what stands at a name that has no DS records.
type Cut uint8

const (
	// NoCut: the name is inside the zone.
	NoCut Cut = iota
	// InsecureCut: an unsigned zone begins there.
	InsecureCut
)

// cutOf says what a type bit map, of name itself, proves to be there.
func cutOf(types Bitmap, name dname.Name) (Cut, Result) {
	switch {
	case types.Has(wire.TypeSOA) && !name.IsRoot():
		return NoCut, Result{Bogus, ReasonDenialFails}
	case types.Has(wire.TypeDS):
		return NoCut, Result{Bogus, ReasonTypeExists}
	case types.Has(wire.TypeNS):
		return InsecureCut, Result{Insecure, ReasonInsecureDelegation}
	}
	return NoCut, Result{Secure, ReasonNone}
}

// wildcard returns the name of the wildcard directly below encloser, and false if it would be too long, in
// which case there is none.
func wildcard(encloser dname.Name) (dname.Name, bool) {
	if len(encloser)+2 > dname.MaxLen {
		return nil, false
	}
	return append(dname.Name{1, '*'}, encloser...), true
}
