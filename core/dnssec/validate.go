package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Verdict is the outcome for a whole response.
type Verdict struct {
	// Result is that of the part with the least trust, the first of them.
	Result
	// Rcode is the response's code, but NOERROR if it was NXDOMAIN and the proof is that the name exists
	// without records of the type.
	Rcode wire.Rcode
}

// Validate checks a response. parts is what Plan made of it, and zones[i] the zone that Walk led to for
// parts[i].
//
// It records in each RRset it looks at what it found out and lowers its TTL accordingly. RRsets of the
// authority section that no proof hangs on, such as NS, are looked at too; that they fail does not touch
// the verdict, but if this is Secure, the resolver must drop all RRsets that are not Secure before it sets AD
// (RFC 4035, section 3.2.3).
func (v *Validator) Validate(r *Response, parts []Part, zones []*Zone) Verdict {
	verdict := Verdict{Result: Result{Status: Secure}, Rcode: r.Rcode}
	for i := range parts {
		result := v.validatePart(r, &parts[i], zones[i], &verdict.Rcode)
		verdict.Result = worse(verdict.Result, result)
		if result.Status == Bogus {
			break // nothing can change that, and more work would be for an attacker
		}
	}
	if len(parts) == 0 {
		verdict.Result = Result{Indeterminate, ReasonNotValidatable}
	}
	return verdict
}

func (v *Validator) validatePart(r *Response, p *Part, zone *Zone, rcode *wire.Rcode) Result {
	switch {
	case p.Kind == Unvalidatable || p.Kind == Referral:
		return Result{Indeterminate, ReasonNotValidatable}
	case p.Kind == Positive && p.Type == wire.TypeRRSIG:
		return Result{Insecure, ReasonSignatureQuery}
	case zone.Status != Secure:
		for _, i := range p.Sets {
			r.Sets[i].Result = zone.Result
		}
		return zone.Result
	}
	var result Result
	denial := lazyDenial{v: v, r: r, zone: zone}
	switch p.Kind {
	case Positive, Alias:
		result = v.validateAnswer(r, p, zone, &denial)
	default:
		result = v.validateNegative(r, p, &denial, rcode)
	}
	if result.Status != Bogus {
		v.verifyAuthority(r, zone)
	}
	return result
}

// validateAnswer checks the RRsets of a Positive or Alias part.
func (v *Validator) validateAnswer(r *Response, p *Part, zone *Zone, denial *lazyDenial) Result {
	result := Result{Status: Secure}
	for n, i := range p.Sets {
		set := &r.Sets[i]
		if n == 1 && set.Type == wire.TypeCNAME && r.Sets[p.Sets[0]].Type == wire.TypeDNAME && len(set.Sigs) == 0 {
			if !follows(set, &r.Sets[p.Sets[0]]) {
				set.Result = Result{Bogus, ReasonDNAMETarget}
			}
		} else if v.Verify(set, zone.Keys); set.Expanded() {
			set.Result = worse(set.Result, denial.get().Expansion(v, set.Owner, set.Encloser))
		}
		if result = worse(result, set.Result); result.Status == Bogus {
			break
		}
	}
	return result
}

// follows reports whether the CNAME RRset is what the Secure DNAME RRset makes of its owner (RFC 6672,
// section 5.3.1), and makes it Secure if so.
func follows(cname, source *RRset) bool {
	target, ok := substitute(cname.Owner, source)
	if !ok || len(cname.Data) != 1 || !dname.Equal(target, cname.Data[0]) {
		return false
	}
	cname.Result, cname.Signer, cname.TTL = source.Result, source.Signer, min(cname.TTL, source.TTL)
	return true
}

// validateNegative checks the proof of a NoData, NameError or AliasEnd part.
func (v *Validator) validateNegative(r *Response, p *Part, denial *lazyDenial, rcode *wire.Rcode) Result {
	d := denial.get()
	switch {
	case !denial.taken && denial.cause == ReasonNoDenial && p.Signer == nil:
		return Result{Bogus, ReasonUnsigned}
	case !denial.taken:
		return Result{Bogus, denial.cause}
	}
	// The SOA record says how long the answer holds, so it must be genuine (RFC 2308, section 5).
	for i := range r.Sets {
		set := &r.Sets[i]
		if set.Section == wire.Authority && set.Type == wire.TypeSOA && dname.Equal(set.Owner, denial.zone.Name) {
			if soa := v.Verify(set, denial.zone.Keys); soa.Status != Secure {
				return soa
			}
		}
	}
	if p.Kind == NoData {
		return denial.explain(d.NoData(v, p.Name, p.Type))
	}
	nameError := d.NameError(v, p.Name)
	if nameError.Status == Secure {
		return nameError
	}
	// Some servers answer NXDOMAIN for empty non-terminals.
	noData := d.NoData(v, p.Name, p.Type)
	switch {
	case noData.Status == Secure:
		*rcode = wire.RcodeNoError
		return noData
	case nameError.Status == Insecure:
		return nameError
	case noData.Status == Insecure && p.Kind == AliasEnd:
		return noData
	}
	return denial.explain(nameError)
}

// verifyAuthority verifies those RRsets of the authority section that zone signs and that nothing hung on.
func (v *Validator) verifyAuthority(r *Response, zone *Zone) {
	for i := range r.Sets {
		set := &r.Sets[i]
		if set.Section == wire.Authority && set.Status == Unchecked && len(set.Sigs) > 0 {
			if signer := set.signer(); signer != nil && dname.Equal(signer, zone.Name) {
				v.Verify(set, zone.Keys)
			}
		}
	}
}

// lazyDenial verifies the NSEC and NSEC3 records of a response when they are needed.
type lazyDenial struct {
	v    *Validator
	r    *Response
	zone *Zone

	denial *Denial
	taken  bool   // there were good records
	cause  Reason // why others, or all, were not
}

// get returns the proof that the records of the zone make. RRsets that are not genuine are left out.
func (l *lazyDenial) get() *Denial {
	if l.denial != nil {
		return l.denial
	}
	l.denial, l.cause = NewDenial(l.zone.Name), ReasonNoDenial
	bad := ReasonNone
	for i := range l.r.Sets {
		set := &l.r.Sets[i]
		if set.Type != wire.TypeNSEC && set.Type != wire.TypeNSEC3 || set.Section == wire.Additional {
			continue
		}
		// What another zone has signed may belong to another part of the response.
		if signer := set.signer(); signer != nil && !dname.Equal(signer, l.zone.Name) {
			bad = max(bad, ReasonSignerName)
		} else if l.v.Verify(set, l.zone.Keys).Status == Secure {
			l.taken = l.denial.Add(set) || l.taken
		} else {
			bad = max(bad, set.Reason)
		}
	}
	if bad != ReasonNone {
		l.cause = bad
	} else if l.taken {
		l.cause = ReasonNone
	}
	return l.denial
}

// explain returns r, but if it is that the proof fails, with the reason why records were left out of it.
func (l *lazyDenial) explain(r Result) Result {
	if r.Status == Bogus && r.Reason == ReasonDenialFails && l.cause != ReasonNone {
		r.Reason = l.cause
	}
	return r
}
