package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Kind is what a part of a response says.
type Kind uint8

const (
	// Positive: there are the records asked for.
	Positive Kind = iota
	// Alias: the name has a CNAME record, of its own or made from a DNAME record.
	Alias
	// NoData: the name has no records of the type.
	NoData
	// NameError: the name does not exist.
	NameError
	// AliasEnd: the name that an alias leads to has no records of the type or does not exist. Servers do
	// not agree on the response code for that, so it does not tell which.
	AliasEnd
	// Referral: the name is below a zone cut. See ValidateDelegation.
	Referral
	// Unvalidatable: it is no answer to the question, or one that cannot be validated.
	Unvalidatable
)

// String returns the kind in the words of RFC 9499.
func (k Kind) String() string {
	switch k {
	case Positive:
		return "positive"
	case Alias:
		return "alias"
	case NoData:
		return "NODATA"
	case NameError:
		return "NXDOMAIN"
	case AliasEnd:
		return "NODATA or NXDOMAIN"
	case Referral:
		return "referral"
	}
	return "not validatable"
}

// Part is a piece of a response that one zone answers for. A response without aliases has one part; each
// alias adds one.
type Part struct {
	Kind Kind
	// Name is the name the part is about: the question's, or the one an alias led to.
	Name dname.Name
	// Type is the question's type.
	Type wire.Type
	// Sets are the indexes of the answer's RRsets in Response.Sets. In an Alias the CNAME RRset comes
	// last; a DNAME RRset before it means that the CNAME record is not signed but follows from it.
	Sets []int
	// Signer is the zone that claims to answer, nil if nothing is signed.
	Signer dname.Name
}

// Target returns the name of the zone that the part must be validated with, as far as the response tells:
// where Walk should lead. anchor is the name of the closest trust anchor above p.Name. A signer above
// it is not believed, for that might be a zone which nothing is known of.
func (p *Part) Target(anchor dname.Name) dname.Name {
	if p.Signer != nil && (anchor == nil || p.Signer.In(anchor)) {
		return p.Signer
	}
	if p.Type == wire.TypeDS && !p.Name.IsRoot() && p.Kind != Alias {
		return p.Name.Parent() // RFC 4035, section 2.4: DS records are the parent's.
	}
	return p.Name
}

// Plan splits r into its parts: it follows the aliases from the question on. RRsets of the answer that are not
// on the way belong to no part. A chain of aliases may end with a part that is one, if r does not say what
// comes after; the resolver then asks for that name, and validates that answer by itself.
func Plan(r *Response) []Part {
	switch r.Rcode {
	case wire.RcodeNoError, wire.RcodeNXDomain:
	case wire.RcodeYXDomain: // The last part is the DNAME record that makes too long a name.
	default:
		return []Part{{Kind: Unvalidatable, Name: r.Name, Type: r.Type}}
	}
	var parts []Part
	used := make([]bool, len(r.Sets)) // CNAME records come once
	name := r.Name
	for len(parts) < maxParts {
		p := r.answerPart(name, used)
		if p.Sets == nil {
			if p = r.endPart(name, len(parts) > 0); p.Kind == Alias {
				break // what it leads to is not in this response
			}
		}
		parts = append(parts, p)
		if p.Kind != Alias {
			break
		}
		var ok bool
		if name, ok = r.aliasTarget(&p); !ok {
			break
		}
	}
	return parts
}

// maxParts is the number of parts that Plan finds. Resolvers follow 8 to 16 aliases (Unbound: 11).
const maxParts = 17

// answerPart returns the part that the answer section has for name. It has no sets if there is none.
func (r *Response) answerPart(name dname.Name, used []bool) Part {
	p := Part{Kind: Alias, Name: name, Type: r.Type}
	cname, dnameSet := -1, -1
	for i := range r.Sets {
		s := &r.Sets[i]
		if s.Section != wire.Answer || s.Class != r.Class || used[i] {
			continue
		}
		switch {
		case dname.Equal(s.Owner, name) && (s.Type == r.Type || r.Type == wire.TypeANY):
			p.Kind = Positive
			p.Sets = append(p.Sets, i)
			used[i] = true
		case s.Type == wire.TypeCNAME && cname < 0 && dname.Equal(s.Owner, name):
			cname = i
		case s.Type == wire.TypeDNAME && dnameSet < 0 && len(name) > len(s.Owner) && name.In(s.Owner):
			dnameSet = i
		}
	}
	switch {
	case p.Kind == Positive && dnameSet >= 0 && len(p.Sets) == 1 && r.unsignedCNAME(p.Sets[0]):
		// The CNAME asked for was made from a DNAME.
		p.Sets = []int{dnameSet, p.Sets[0]}
		p.Signer = r.Sets[dnameSet].signer()
		return p
	case p.Kind == Positive:
		for _, i := range p.Sets {
			if p.Signer = r.Sets[i].signer(); p.Signer != nil {
				break
			}
		}
		return p
	case dnameSet >= 0 && (cname < 0 || r.unsignedCNAME(cname)):
		p.Sets = append(p.Sets, dnameSet)
		p.Signer = r.Sets[dnameSet].signer()
	case cname >= 0:
		p.Signer = r.Sets[cname].signer()
	}
	if cname >= 0 {
		p.Sets = append(p.Sets, cname)
		used[cname] = true
	}
	return p
}

// unsignedCNAME reports whether the set with index i is a CNAME without signature: it may follow from a DNAME.
// A signed one stands for itself.
func (r *Response) unsignedCNAME(i int) bool {
	return r.Sets[i].Type == wire.TypeCNAME && len(r.Sets[i].Sigs) == 0
}

// endPart returns the part for a name that the answer section has nothing for, with kind Alias if the chain
// of aliases that led to it goes on elsewhere.
func (r *Response) endPart(name dname.Name, afterAlias bool) Part {
	p := Part{Kind: NoData, Name: name, Type: r.Type}
	var soa, ns bool
	for i := range r.Sets {
		s := &r.Sets[i]
		if s.Section != wire.Authority || s.Class != r.Class {
			continue
		}
		switch s.Type {
		case wire.TypeSOA:
			soa = soa || name.In(s.Owner)
		case wire.TypeNS:
			ns = true
			continue
		case wire.TypeNSEC, wire.TypeNSEC3:
		default:
			continue
		}
		p.deeperSigner(s)
	}
	switch {
	case afterAlias && !soa && !r.Complete && r.Rcode == wire.RcodeNoError:
		// NSEC records without SOA prove that a wildcard was the source of an alias.
		p.Kind = Alias
	case afterAlias:
		p.Kind = AliasEnd
	case r.Rcode == wire.RcodeNXDomain:
		p.Kind = NameError
	case r.Rcode == wire.RcodeYXDomain:
		p.Kind = Unvalidatable
	case ns && !soa:
		p.Kind = Referral
	}
	return p
}

// deeperSigner makes the signer of s p's signer if it may speak about p's name and is deeper.
func (p *Part) deeperSigner(s *RRset) {
	for _, rdata := range s.Sigs {
		sig, ok := ParseRRSIG(rdata)
		if !ok || !p.Name.In(sig.Signer) || !maySign(sig.Signer, s) {
			continue
		}
		if p.Type == wire.TypeDS && len(sig.Signer) == len(p.Name) && !p.Name.IsRoot() {
			continue
		}
		if p.Signer == nil || len(sig.Signer) > len(p.Signer) {
			p.Signer = sig.Signer
		}
	}
}

// aliasTarget returns the name that an Alias part leads to.
func (r *Response) aliasTarget(p *Part) (dname.Name, bool) {
	s := &r.Sets[p.Sets[len(p.Sets)-1]]
	if s.Type == wire.TypeDNAME {
		// The CNAME is left out, or the server leaves making it to us.
		return substitute(p.Name, s)
	}
	if len(s.Data) != 1 {
		return nil, false // RFC 2181, section 10.1
	}
	target, ok := dname.Parse(s.Data[0])
	return target, ok && len(target) == len(s.Data[0])
}

// substitute returns what the DNAME RRset s makes of name, which is below its owner (RFC 6672, section
// 2.2), and false if that would be too long.
func substitute(name dname.Name, s *RRset) (dname.Name, bool) {
	if len(s.Data) != 1 {
		return nil, false // RFC 6672, section 2.4
	}
	target, ok := dname.Parse(s.Data[0])
	prefix := len(name) - len(s.Owner)
	if !ok || prefix <= 0 || prefix+len(target) > dname.MaxLen {
		return nil, false
	}
	return append(append(make(dname.Name, 0, prefix+len(target)), name[:prefix]...), target...), true
}
