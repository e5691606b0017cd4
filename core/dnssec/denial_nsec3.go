package dnssec

import (
	"bytes"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// hashSpan is a verified NSEC3 record: it proves that no name of the zone has a hash between owner and next,
// unsigned delegations excepted if it is opt-out.
type hashSpan struct {
	owner, next [hashLen]byte
	types       Bitmap
	optOut      bool
	ttl         uint32 // seconds
}

// covers reports whether hash lies between the ends of s. The last span of a zone goes on at the beginning
// (RFC 5155, section 3.1.7).
func (s *hashSpan) covers(hash *[hashLen]byte) bool {
	afterOwner := bytes.Compare(s.owner[:], hash[:]) < 0
	beforeNext := bytes.Compare(hash[:], s.next[:]) < 0
	if bytes.Compare(s.owner[:], s.next[:]) < 0 {
		return afterOwner && beforeNext
	}
	return afterOwner || beforeNext
}

func (d *Denial) hashAt(hash *[hashLen]byte) *hashSpan {
	for i := range d.hashSpans {
		if d.hashSpans[i].owner == *hash {
			return &d.hashSpans[i]
		}
	}
	return nil
}

func (d *Denial) hashCovering(hash *[hashLen]byte) *hashSpan {
	for i := range d.hashSpans {
		if d.hashSpans[i].covers(hash) {
			return &d.hashSpans[i]
		}
	}
	return nil
}

// hash computes the hash of name and charges it to the budget.
func (d *Denial) hash(v *Validator, name dname.Name) (sum [hashLen]byte, ok bool) {
	for i := range d.hashed {
		if dname.Equal(d.hashed[i].name, name) {
			return d.hashed[i].hash, true
		}
	}
	if !v.Budget.affordHash(d.cost) {
		return sum, false
	}
	sum = hashName(name, d.param.Iterations, d.param.Salt)
	d.hashed = append(d.hashed, hashedName{name, sum})
	return sum, true
}

// checkParam reports whether the NSEC3 records are to be used: Secure if so.
func (d *Denial) checkParam(p *Policy) Result {
	switch {
	case d.mixed:
		// RFC 5155, section 8.2: all records of a response have the same parameters.
		return Result{Bogus, ReasonNSEC3Mixed}
	case p.BogusIterations > 0 && d.param.Iterations >= p.BogusIterations:
		return Result{Bogus, ReasonNSEC3Bogus}
	case d.cost > hashCost(p.MaxIterations, nil):
		// RFC 9276, section 3.2. A long salt costs like iterations, so it counts.
		return Result{Insecure, ReasonNSEC3Iterations}
	}
	return Result{Secure, ReasonNone}
}

// enclosure is the outcome of a closest encloser proof (RFC 5155, section 8.3).
type enclosure struct {
	encloser dname.Name
	match    *hashSpan // of encloser
	next     *hashSpan // covers the next closer name; nil if encloser is the name itself
}

// enclose looks for the closest encloser of name: the longest ancestor with a record of its own, such that
// the name one label longer has none.
func (d *Denial) enclose(v *Validator, name dname.Name) (e enclosure, r Result) {
	if r = d.checkParam(v.Policy); r.Status != Secure {
		return e, r
	}
	fails := Result{Bogus, ReasonDenialFails}
	if !name.In(d.zone) {
		return e, fails
	}
	var closer [hashLen]byte // hash of the name one label longer than n
	for n := name; ; n = n.Parent() {
		sum, ok := d.hash(v, n)
		if !ok {
			return e, Result{Bogus, ReasonHashBudget}
		}
		if match := d.hashAt(&sum); match != nil {
			e = enclosure{encloser: n, match: match}
			if len(n) == len(name) {
				return e, Result{Secure, ReasonNone}
			}
			// Below a zone cut or a DNAME the zone has no say.
			switch {
			case match.types.insecureDelegation():
				return e, Result{Insecure, ReasonInsecureDelegation}
			case match.types.delegation() || match.types.Has(wire.TypeDNAME):
				return e, fails
			}
			if e.next = d.hashCovering(&closer); e.next == nil {
				return e, fails
			}
			return e, Result{Secure, ReasonNone}
		}
		if len(n) == len(d.zone) {
			return e, fails
		}
		closer = sum
	}
}

// wildcardAt returns the span that begins at the wildcard below encloser, or the one that covers it.
func (d *Denial) wildcardAt(v *Validator, encloser dname.Name) (match, cover *hashSpan, r Result) {
	wild, ok := wildcard(encloser)
	if !ok {
		return nil, nil, Result{Bogus, ReasonDenialFails}
	}
	sum, ok := d.hash(v, wild)
	if !ok {
		return nil, nil, Result{Bogus, ReasonHashBudget}
	}
	return d.hashAt(&sum), d.hashCovering(&sum), Result{Secure, ReasonNone}
}

func (d *Denial) nsec3NameError(v *Validator, name dname.Name) Result {
	e, r := d.enclose(v, name)
	if r.Status != Secure {
		return r
	}
	if e.next == nil {
		return Result{Bogus, ReasonDenialFails}
	}
	if len(e.encloser)+2 <= dname.MaxLen {
		match, cover, r := d.wildcardAt(v, e.encloser)
		if r.Status != Secure {
			return r
		}
		if match != nil || cover == nil {
			return Result{Bogus, ReasonDenialFails}
		}
	}
	return e.optOut()
}

// optOut is Insecure if the next closer name may be an unsigned delegation (RFC 5155, section 9.2).
func (e *enclosure) optOut() Result {
	if e.next.optOut {
		return Result{Insecure, ReasonOptOut}
	}
	return Result{Secure, ReasonNone}
}

func (d *Denial) nsec3NoData(v *Validator, name dname.Name, t wire.Type) Result {
	e, r := d.enclose(v, name)
	if r.Status != Secure {
		return r
	}
	if e.next == nil {
		// RFC 5155, sections 8.5 and 8.6.
		return absent(e.match.types, name, t)
	}
	// RFC 5155, section 8.6: the name may be an unsigned delegation, which a wildcard does not stand in for.
	if t == wire.TypeDS && e.next.optOut {
		return e.optOut()
	}
	// RFC 5155, section 8.7: a wildcard without the type.
	match, _, r := d.wildcardAt(v, e.encloser)
	if r.Reason == ReasonHashBudget {
		return r
	}
	if match != nil {
		if r := absent(match.types, name, t); r.Status != Secure {
			return r
		}
		return e.optOut()
	}
	// Forwarders join answers from below an unsigned delegation with the proof of its parent, so that an
	// opt-out span answers for other types than DS too.
	if e.next.optOut {
		return Result{Insecure, ReasonOptOut}
	}
	return Result{Bogus, ReasonDenialFails}
}

func (d *Denial) nsec3Expansion(v *Validator, name, encloser dname.Name) Result {
	if r := d.checkParam(v.Policy); r.Status != Secure {
		return r
	}
	if !name.In(d.zone) || len(name) <= len(encloser) {
		return Result{Bogus, ReasonWildcardUnproven}
	}
	// RFC 5155, section 8.8: the signature has told the closest encloser.
	sum, ok := d.hash(v, name.Suffix(encloser.Labels()+1))
	if !ok {
		return Result{Bogus, ReasonHashBudget}
	}
	next := d.hashCovering(&sum)
	if next == nil {
		return Result{Bogus, ReasonWildcardUnproven}
	}
	return (&enclosure{next: next}).optOut()
}

func (d *Denial) nsec3NoDS(v *Validator, name dname.Name) (Cut, Result) {
	e, r := d.enclose(v, name)
	switch {
	case r.Status == Insecure:
		return InsecureCut, r
	case r.Status != Secure:
		return NoCut, r
	case e.next == nil:
		return cutOf(e.match.types, name)
	case e.next.optOut:
		return InsecureCut, Result{Insecure, ReasonOptOut}
	}
	return NoCut, Result{Bogus, ReasonNameMissing}
}
