package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// outcome is what a response says about the question.
type outcome uint8

const (
	outAnswer    outcome = iota // the records answer it
	outNegative                 // there is no such name or no such record
	outAlias                    // the records lead to another name, which has to be asked for
	outReferral                 // the servers of another zone have to be asked
	outLame                     // the server cannot help: it refers elsewhere or does not do recursion
	outMalformed                // a record that is needed cannot be read
	outLoop                     // the aliases do not end
)

// maxUnique is for how many octets of records duplicates are looked for: each is compared with all before it.
const maxUnique = 4096

// scrubber selects from a response what may be believed; the rest is not looked at again.
type scrubber struct {
	realms *realms // tell who is believed about what
	resp   *response
	route  route // by which the response came
	zone   dname.Name
	class  wire.Class
	do     bool // signatures are wanted

	f         *finding // what is selected
	malformed bool
}

// scrub puts into f what may be believed of a response that came by route r and answers the question of task t for typ
// at from: the chain of aliases that starts there, what stands at its end, and the proof of a negative answer. Of
// forwarders the chain is taken as far as its names are theirs to tell of, and no referrals; of others only its first
// link.
func (m *Machine) scrub(f *finding, t *task, from dname.Name, typ wire.Type, resp *response, r *route) {
	s := scrubber{realms: &m.realms, resp: resp, route: *r, zone: r.bailiwick(), class: t.class, do: t.wantsDO(&m.trust), f: f}
	f.rcode = resp.rcode
	if f.out = s.follow(from, typ); s.malformed && f.out != outLoop {
		f.out = outMalformed
	}
}

// follow goes from alias to alias.
func (s *scrubber) follow(from dname.Name, typ wire.Type) outcome {
	f := s.f
	f.setTarget(from)
	for aliases := 0; ; aliases++ {
		if aliases > maxChain {
			return outLoop
		}
		if aliases > 0 && (s.route.kind == stub || s.route.kind == iterate || !s.realms.belongs(f.target, typ, &s.route)) { // It is asked for where it belongs.
			f.rcode = wire.RcodeNoError
			s.takeDenial(s.zone) // of a wildcard's
			s.dropForeignDenial(f.target, typ)
			return outAlias
		}
		switch s.takeDNAME(f.target) {
		case nameTooLong: // RFC 6672, section 2.2
			f.rcode = wire.RcodeYXDomain
			return outNegative
		case changesName:
			if typ == wire.TypeCNAME || typ == wire.TypeANY { // What was asked for is the CNAME itself.
				f.setTarget(from)
				f.rcode = wire.RcodeNoError
				s.takeDenial(s.zone)
				return outAnswer
			}
			continue
		}
		if !s.forgedBesideAlias(f.target, typ) && s.takeRRset(f.target, typ) {
			f.rcode = wire.RcodeNoError
			s.takeDenial(s.zone)
			return outAnswer
		}
		if s.takeCNAME(f.target) {
			continue
		}
		return s.negative(f.target, typ, aliases > 0)
	}
}

// negative tells what a response says that has nothing at name.
func (s *scrubber) negative(name dname.Name, typ wire.Type, alias bool) outcome {
	referrals := s.route.kind != forward
	if s.f.rcode == wire.RcodeYXDomain {
		return outLame // Without the DNAME there is nothing to believe.
	}
	if s.takeSOA(name, referrals) {
		return outNegative
	}
	foreign := s.foreignSOA()
	if s.f.rcode == wire.RcodeNXDomain {
		if foreign != nil {
			return outLame
		}
		s.takeDenial(s.zone)
		return outNegative
	}
	if alias {
		s.takeDenial(s.zone)
		return outAlias
	}
	out := s.refers(name, typ, referrals)
	if out == outNegative && referrals && foreign != nil && !s.zone.In(foreign) {
		out = outLame
	}
	if out == outNegative {
		s.takeDenial(s.zone)
	}
	return out
}

// refers tells what the NS records of a response without an answer and without SOA say.
func (s *scrubber) refers(name dname.Name, typ wire.Type, referrals bool) outcome {
	out := outNegative
	for i := range s.resp.parts {
		p := &s.resp.parts[i]
		if p.section != wire.Authority || p.rr.Type != wire.TypeNS || p.rr.Class != s.class {
			continue
		}
		// Only downwards: what leads to the zone itself or above it could go round for ever.
		if referrals && len(p.owner) > len(s.zone) && p.owner.In(s.zone) && name.In(p.owner) && !(typ == wire.TypeDS && dname.Equal(name, p.owner)) {
			s.f.child = p.owner
			return outReferral
		}
		if referrals && (s.resp.flags&wire.FlagAA == 0 || !p.owner.In(s.zone)) {
			out = outLame
		}
		s.f.referred, s.f.upward = true, s.f.upward || p.owner.IsRoot()
	}
	return out
}

// foreignSOA returns the owner of an SOA record, which takeSOA has not taken: the server denies a name on behalf of
// a zone that the name is not in, or that was not to be asked. Nil: there is none.
func (s *scrubber) foreignSOA() dname.Name {
	for i := range s.resp.parts {
		if p := &s.resp.parts[i]; p.section == wire.Authority && p.rr.Type == wire.TypeSOA && p.rr.Class == s.class {
			return p.owner
		}
	}
	return nil
}

// forgedBesideAlias says whether the records of a type at name have no signature while a CNAME record there has one: such
// records cannot validate. RRSIG records are signed nowhere. Where both stand at a name against RFC 1034, section 3.6.2,
// those asked for are the answer (section 5.3.3, step 4), as for BIND, in whatever order they come.
func (s *scrubber) forgedBesideAlias(name dname.Name, typ wire.Type) bool {
	return typ != wire.TypeCNAME && typ != wire.TypeANY && typ != wire.TypeRRSIG && s.do &&
		s.signed(name, wire.TypeCNAME) && s.hasCNAME(name) && !s.signed(name, typ)
}

// hasCNAME says whether the answer section has a CNAME record at name.
func (s *scrubber) hasCNAME(name dname.Name) bool {
	for i := range s.resp.parts {
		p := &s.resp.parts[i]
		if p.section == wire.Answer && p.rr.Type == wire.TypeCNAME && p.rr.Class == s.class && dname.Equal(p.owner, name) {
			return true
		}
	}
	return false
}

// signed says whether the answer section has a signature of the records of a type at name.
func (s *scrubber) signed(name dname.Name, typ wire.Type) bool {
	for i := range s.resp.parts {
		p := &s.resp.parts[i]
		if p.section == wire.Answer && p.rr.Class == s.class && s.resp.covered(p) == typ && dname.Equal(p.owner, name) {
			return true
		}
	}
	return false
}

// overreaches says whether an NSEC record speaks about names beyond a zone.
func (s *scrubber) overreaches(p *part, zone dname.Name) bool {
	var buf [dname.MaxLen]byte
	next, _, ok := dname.Unpack(buf[:0], s.resp.msg, p.rr.Data)
	return !ok || !dname.Name(next).In(zone)
}
