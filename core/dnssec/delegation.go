package dnssec

import (
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Delegation is what a zone says about a name directly or further below it: whether another zone begins there
// and whether that is signed.
type Delegation struct {
	Name dname.Name // lower case
	// Result is Secure if the zone's statement is proven: DS records, or none and NoCut. It is Insecure
	// if an unsigned zone begins at the name or may begin there, or one that no supported algorithm
	// signs. It is Bogus if there is no proof of anything.
	Result
	NoCut bool // the name is inside the zone: no zone begins there
	DS    []DS // not empty if Secure without NoCut
	TTL   uint32
}

// Bytes is about how much memory d takes.
func (d *Delegation) Bytes() int {
	n := 128 + len(d.Name)
	for i := range d.DS {
		n += 48 + len(d.DS[i].Digest)
	}
	return n
}

// ValidateDelegation reads what r says about name, which lies below zone: r is the response to a query for
// name's DS records, or a referral to it. zone must be Secure. If a referral makes the outcome Bogus with
// ReasonNoDenial, it just says nothing, and the DS records must be asked for.
func (v *Validator) ValidateDelegation(r *Response, name dname.Name, zone *Zone) Delegation {
	d := Delegation{Name: dname.AppendLower(nil, name), TTL: brokenTTL}
	if r.Rcode != wire.RcodeNoError && r.Rcode != wire.RcodeNXDomain {
		d.Result = Result{Bogus, ReasonNoAnswer}
		return d
	}
	if set := r.find(name, wire.TypeDS); set != nil {
		v.validateDS(&d, set, zone)
		return d
	}
	if set := r.find(name, wire.TypeCNAME); set != nil && set.Section == wire.Answer {
		v.validateAliasAtCut(&d, set, zone)
		return d
	}
	denial := lazyDenial{v: v, r: r, zone: zone}
	cut, result := denial.get().NoDS(v, d.Name)
	if !denial.taken {
		result = Result{Bogus, denial.cause}
	}
	d.Result = denial.explain(result)
	d.NoCut = d.Status == Secure && cut == NoCut
	if d.Status != Bogus {
		d.TTL = denial.ttl()
	}
	return d
}

// validateDS fills in what a DS RRset says.
func (v *Validator) validateDS(d *Delegation, set *RRset, zone *Zone) {
	if d.Result = v.Verify(set, zone.Keys); d.Status != Secure {
		return
	}
	d.TTL = set.TTL
	var records []DS
	for _, rdata := range set.Data {
		if ds, ok := ParseDS(slices.Clone(rdata)); ok {
			records = append(records, ds)
		}
	}
	var why Reason
	if d.DS, why = v.Policy.chooseDS(records); len(d.DS) == 0 {
		// RFC 4035, section 5.2: nothing known to follow is as good as no DS records.
		d.Result = Result{Insecure, why}
	}
}

// validateAliasAtCut fills in what a CNAME RRset says: a name that has one is no zone cut.
func (v *Validator) validateAliasAtCut(d *Delegation, set *RRset, zone *Zone) {
	if d.Result = v.Verify(set, zone.Keys); d.Status != Secure {
		return
	}
	if set.Expanded() {
		// No zone can be below a name that a wildcard stands in for, so nobody has a reason to ask.
		d.Result = Result{Bogus, ReasonWildcardAlias}
		return
	}
	d.NoCut, d.TTL = true, set.TTL
}

// find returns the RRset of name with the given type in the answer or the authority section.
func (r *Response) find(name dname.Name, t wire.Type) *RRset {
	for i := range r.Sets {
		s := &r.Sets[i]
		if s.Type == t && s.Class == r.Class && s.Section != wire.Additional && dname.Equal(s.Owner, name) {
			return s
		}
	}
	return nil
}

// ttl returns for how many seconds the proof holds.
func (l *lazyDenial) ttl() uint32 {
	ttl := ^uint32(0)
	for i := range l.denial.spans {
		ttl = min(ttl, l.denial.spans[i].ttl)
	}
	for i := range l.denial.hashSpans {
		ttl = min(ttl, l.denial.hashSpans[i].ttl)
	}
	return ttl
}
