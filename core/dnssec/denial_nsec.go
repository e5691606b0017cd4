package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// at returns the span that begins at name.
func (d *Denial) at(name dname.Name) *span {
	for i := range d.spans {
		if dname.Equal(d.spans[i].owner, name) {
			return &d.spans[i]
		}
	}
	return nil
}

// covering returns a span that proves that name, which is in the zone, has no records.
func (d *Denial) covering(name dname.Name) *span {
	for i := range d.spans {
		if d.spans[i].covers(name) {
			return &d.spans[i]
		}
	}
	return nil
}

// belowInsecure reports whether a span shows an insecure delegation above name, or at name if t is not the
// type of records that a delegation's parent has.
func (d *Denial) belowInsecure(name dname.Name, t wire.Type) bool {
	for i := range d.spans {
		s := &d.spans[i]
		if s.types.insecureDelegation() && name.In(s.owner) && (t != wire.TypeDS || len(name) > len(s.owner)) {
			return true
		}
	}
	return false
}

// missing returns the closest encloser of name if a span proves that name does not exist.
func (d *Denial) missing(name dname.Name) (encloser dname.Name, ok bool) {
	s := d.covering(name)
	if s == nil || s.hasBelow(name) {
		return nil, false
	}
	return s.encloser(name), true
}

func (d *Denial) nsecNameError(name dname.Name) Result {
	if !name.In(d.zone) {
		return Result{Bogus, ReasonDenialFails}
	}
	if d.belowInsecure(name, wire.TypeANY) {
		return Result{Insecure, ReasonInsecureDelegation}
	}
	encloser, ok := d.missing(name)
	if !ok {
		return Result{Bogus, ReasonDenialFails}
	}
	if wild, ok := wildcard(encloser); ok {
		if _, ok := d.missing(wild); !ok {
			return Result{Bogus, ReasonDenialFails}
		}
	}
	return Result{Secure, ReasonNone}
}

func (d *Denial) nsecNoData(name dname.Name, t wire.Type) Result {
	if !name.In(d.zone) {
		return Result{Bogus, ReasonDenialFails}
	}
	if s := d.at(name); s != nil {
		return absent(s.types, name, t)
	}
	if d.belowInsecure(name, t) {
		return Result{Insecure, ReasonInsecureDelegation}
	}
	s := d.covering(name)
	if s == nil {
		return Result{Bogus, ReasonDenialFails}
	}
	if s.hasBelow(name) {
		return Result{Secure, ReasonNone} // an empty non-terminal
	}
	wild, ok := wildcard(s.encloser(name))
	if !ok {
		return Result{Bogus, ReasonDenialFails}
	}
	if w := d.at(wild); w != nil {
		return absent(w.types, wild, t)
	}
	if w := d.covering(wild); w != nil && w.hasBelow(wild) {
		return Result{Secure, ReasonNone} // the wildcard is an empty non-terminal
	}
	return Result{Bogus, ReasonDenialFails}
}

func (d *Denial) nsecExpansion(name, encloser dname.Name) Result {
	if name.In(d.zone) {
		if got, ok := d.missing(name); ok && len(got) == len(encloser) {
			return Result{Secure, ReasonNone}
		}
	}
	return Result{Bogus, ReasonWildcardUnproven}
}

func (d *Denial) nsecNoDS(name dname.Name) (Cut, Result) {
	if s := d.at(name); s != nil {
		return cutOf(s.types, name)
	}
	if d.belowInsecure(name, wire.TypeDS) {
		return InsecureCut, Result{Insecure, ReasonInsecureDelegation}
	}
	s := d.covering(name)
	if s == nil {
		return NoCut, Result{Bogus, ReasonDenialFails}
	}
	if s.hasBelow(name) {
		return NoCut, Result{Secure, ReasonNone} // an empty non-terminal
	}
	wild, ok := wildcard(s.encloser(name))
	if !ok {
		return NoCut, Result{Bogus, ReasonNameMissing}
	}
	if w := d.at(wild); w != nil {
		// A name that a wildcard stands in for is no zone cut (RFC 4592, section 4.2).
		return NoCut, absent(w.types, wild, wire.TypeDS)
	}
	if w := d.covering(wild); w != nil && w.hasBelow(wild) {
		return NoCut, Result{Secure, ReasonNone}
	} else if w != nil {
		return NoCut, Result{Bogus, ReasonNameMissing}
	}
	return NoCut, Result{Bogus, ReasonDenialFails}
}
