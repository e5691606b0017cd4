package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// outcome is what a response says about the question.
type outcome uint8

const (
	outAnswer    outcome = iota // the records answer it
	outNegative                 // there is no such name or no such record
	outAlias                    // the records lead to m.target, which has to be asked for
	outReferral                 // the servers of the zone m.cut have to be asked
	outLame                     // the server cannot help: it refers elsewhere or does not do recursion
	outMalformed                // a record that is needed cannot be read
	outLoop                     // the aliases do not end
)

// maxUnique is for how many octets of records duplicates are looked for: each is compared with all before it.
const maxUnique = 4096

// scrub selects from m.response, which came by route r and answers the question for typ at from, what may be believed:
// the chain of aliases that starts there, what stands at its end, and the proof of a negative answer. Of forwarders
// the chain is taken as far as its names are theirs to tell of, and no referrals; of others only its first link. The
// records are left in m.records, the end of the chain in m.target, and the response code in m.rcode.
func (m *Machine) scrub(t *task, from dname.Name, typ wire.Type, r *route) outcome {
	m.records = m.records[:0]
	m.rcode = m.response.rcode
	m.malformed, m.referred, m.upward = false, false, false
	zone := r.bailiwick()
	name := append(m.target[:0], from...)
	for aliases := 0; ; aliases++ {
		m.target = name
		if aliases > maxChain {
			return outLoop
		}
		if aliases > 0 && (r.kind == stub || r.kind == iterate || !m.belongs(name, typ, r)) { // It is asked for where it belongs.
			m.rcode = wire.RcodeNoError
			m.takeDenial(t, zone) // of a wildcard's
			m.dropForeignDenial(name, typ, r)
			return m.readable(outAlias)
		}
		if next, ok := m.takeDNAME(t, name, r); ok {
			if next == nil { // RFC 6672, section 2.2: the substituted name is too long.
				m.rcode = wire.RcodeYXDomain
				return m.readable(outNegative)
			}
			if typ == wire.TypeCNAME || typ == wire.TypeANY { // What was asked for is the CNAME itself.
				m.target = append(m.target[:0], from...)
				m.rcode = wire.RcodeNoError
				m.takeDenial(t, zone)
				return m.readable(outAnswer)
			}
			name = next
			continue
		}
		if !m.forgedBesideAlias(t, name, typ) && m.takeRRset(t, name, zone, typ) {
			m.rcode = wire.RcodeNoError
			m.takeDenial(t, zone)
			return m.readable(outAnswer)
		}
		if next, ok := m.takeCNAME(t, name); ok {
			name = append(m.target[:0], next...)
			continue
		}
		return m.readable(m.negative(t, name, typ, zone, aliases > 0, r.kind != forward))
	}
}

func (m *Machine) readable(o outcome) outcome {
	if m.malformed {
		return outMalformed
	}
	return o
}

// negative judges a response that has nothing at name.
func (m *Machine) negative(t *task, name dname.Name, typ wire.Type, zone dname.Name, alias, referrals bool) outcome {
	if m.rcode == wire.RcodeYXDomain {
		return outLame // Without the DNAME there is nothing to believe.
	}
	if m.takeSOA(t, name, zone, referrals) {
		return outNegative
	}
	foreign := m.foreignSOA(t)
	if m.rcode == wire.RcodeNXDomain {
		if foreign != nil {
			return outLame
		}
		m.takeDenial(t, zone)
		return outNegative
	}
	if alias {
		m.takeDenial(t, zone)
		return outAlias
	}
	out := outNegative
	if referrals && foreign != nil && !zone.In(foreign) {
		out = outLame
	}
	for i := range m.response.parts {
		p := &m.response.parts[i]
		if p.section != wire.Authority || p.rr.Type != wire.TypeNS || p.rr.Class != t.class {
			continue
		}
		// Only downwards: what leads to the zone itself or above it could go round for ever.
		if referrals && len(p.owner) > len(zone) && p.owner.In(zone) && name.In(p.owner) && !(typ == wire.TypeDS && dname.Equal(name, p.owner)) {
			m.cut = p.owner
			return outReferral
		}
		if referrals && (m.response.flags&wire.FlagAA == 0 || !p.owner.In(zone)) {
			out = outLame
		}
		m.referred, m.upward = true, m.upward || p.owner.IsRoot()
	}
	if out == outNegative {
		m.takeDenial(t, zone)
	}
	return out
}

// foreignSOA returns the owner of an SOA record, which takeSOA has not taken: the server denies a name on behalf of
// a zone that the name is not in, or that was not to be asked. Nil: there is none.
func (m *Machine) foreignSOA(t *task) dname.Name {
	for i := range m.response.parts {
		if p := &m.response.parts[i]; p.section == wire.Authority && p.rr.Type == wire.TypeSOA && p.rr.Class == t.class {
			return p.owner
		}
	}
	return nil
}

// take copies a record; its owner is given because it was compared with a name of ours.
func (m *Machine) take(p *part, s wire.Section) {
	start := len(m.records)
	r := m.records.begin(s, p.owner, p.rr.Type, p.rr.Class, p.rr.TTL)
	filled, ok := wire.UnpackRData(r, m.response.msg, &p.rr)
	if !ok || len(filled) > maxTaken {
		m.malformed = true
		return
	}
	m.records = filled
	m.records.seal(start)
}

// takeRRset copies the records of a type at name and their signatures out of the answer section.
func (m *Machine) takeRRset(t *task, name, zone dname.Name, typ wire.Type) (found bool) {
	parts := m.response.parts
	for i := range parts {
		p := &parts[i]
		if p.section == wire.Answer && p.rr.Class == t.class && (p.rr.Type == typ || typ == wire.TypeANY) && dname.Equal(p.owner, name) {
			if p.rr.Type == wire.TypeNSEC && m.overreaches(p, zone) {
				continue
			}
			start := len(m.records)
			m.take(p, wire.Answer)
			// RFC 2181, section 5: there are no two records of the same data.
			if last, _, ok := m.records[start:].next(); ok && start < maxUnique && m.records[:start].has(&last) {
				m.records = m.records[:start]
			}
			found = true
		}
	}
	if found && typ != wire.TypeANY {
		m.takeSignatures(t, name, typ, wire.Answer)
	}
	return found
}

// forgedBesideAlias says whether the records of a type at name have no signature while a CNAME record there has one: such
// records cannot validate. RRSIG records are signed nowhere. Where both stand at a name against RFC 1034, section 3.6.2,
// those asked for are the answer (section 5.3.3, step 4), as for BIND, in whatever order they come.
func (m *Machine) forgedBesideAlias(t *task, name dname.Name, typ wire.Type) bool {
	return typ != wire.TypeCNAME && typ != wire.TypeANY && typ != wire.TypeRRSIG && m.wantDO(t) &&
		m.signed(t, name, wire.TypeCNAME) && m.hasCNAME(t, name) && !m.signed(t, name, typ)
}

// hasCNAME says whether the answer section has a CNAME record at name.
func (m *Machine) hasCNAME(t *task, name dname.Name) bool {
	for i := range m.response.parts {
		p := &m.response.parts[i]
		if p.section == wire.Answer && p.rr.Type == wire.TypeCNAME && p.rr.Class == t.class && dname.Equal(p.owner, name) {
			return true
		}
	}
	return false
}

// signed says whether the answer section has a signature of the records of a type at name.
func (m *Machine) signed(t *task, name dname.Name, typ wire.Type) bool {
	for i := range m.response.parts {
		p := &m.response.parts[i]
		if p.section == wire.Answer && p.rr.Class == t.class && m.response.covered(p) == typ && dname.Equal(p.owner, name) {
			return true
		}
	}
	return false
}

// overreaches says whether an NSEC record speaks about names beyond the zone of the server that it came from.
func (m *Machine) overreaches(p *part, zone dname.Name) bool {
	var buf [dname.MaxLen]byte
	next, _, ok := dname.Unpack(buf[:0], m.response.msg, p.rr.Data)
	return !ok || !dname.Name(next).In(zone)
}

// takeSignatures copies the RRSIG records that cover a type at name, if the client wants them.
func (m *Machine) takeSignatures(t *task, name dname.Name, typ wire.Type, s wire.Section) {
	if !m.wantDO(t) {
		return
	}
	parts := m.response.parts
	for i := range parts {
		p := &parts[i]
		if p.section == s && p.rr.Class == t.class && m.response.covered(p) == typ && dname.Equal(p.owner, name) {
			m.take(p, s)
		}
	}
}

// takeCNAME copies the CNAME at name and returns its target. Only the first counts: RFC 2181, section
// 10.1 allows no more.
func (m *Machine) takeCNAME(t *task, name dname.Name) (target dname.Name, ok bool) {
	parts := m.response.parts
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Answer || p.rr.Type != wire.TypeCNAME || p.rr.Class != t.class || !dname.Equal(p.owner, name) {
			continue
		}
		start := len(m.records)
		m.take(p, wire.Answer)
		if m.malformed {
			return nil, false
		}
		rec, _, _ := m.records[start:].next()
		target = append(m.alias[:0], rec.rdata...)
		lower(target)
		m.takeSignatures(t, name, wire.TypeCNAME, wire.Answer)
		return target, true
	}
	return nil, false
}

// takeDNAME copies a DNAME above name with the CNAME that follows from it, which is made here rather than
// believed. target is nil if it would be too long.
func (m *Machine) takeDNAME(t *task, name dname.Name, r *route) (target dname.Name, ok bool) {
	parts := m.response.parts
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Answer || p.rr.Type != wire.TypeDNAME || p.rr.Class != t.class ||
			len(p.owner) >= len(name) || !name.In(p.owner) || !m.belongs(p.owner, wire.TypeDNAME, r) {
			continue
		}
		start := len(m.records)
		m.take(p, wire.Answer)
		if m.malformed {
			return nil, false
		}
		rec, _, _ := m.records[start:].next()
		m.alias = append(m.alias[:0], name[:len(name)-len(p.owner)]...)
		m.alias = append(m.alias, rec.rdata...)
		m.takeSignatures(t, p.owner, wire.TypeDNAME, wire.Answer)
		if len(m.alias) > dname.MaxLen {
			return nil, true
		}
		start = len(m.records)
		m.records = m.records.begin(wire.Answer|madeHere, name, wire.TypeCNAME, t.class, p.rr.TTL)
		m.records = append(m.records, m.alias...)
		m.records.seal(start)
		lower(m.alias)
		return append(m.target[:0], m.alias...), true
	}
	return nil, false
}

// takeSOA copies the SOA that proves a negative answer about name, with the denial records.
func (m *Machine) takeSOA(t *task, name, zone dname.Name, own bool) bool {
	parts := m.response.parts
	for i := range parts {
		p := &parts[i]
		if p.section == wire.Authority && p.rr.Type == wire.TypeSOA && p.rr.Class == t.class && name.In(p.owner) && p.owner.In(zone) {
			if msg := m.response.msg; p.rr.End-p.rr.Data >= 22 {
				// RFC 2308, section 5: MINIMUM, the last field, caps the TTL of a negative answer.
				p.rr.TTL = min(p.rr.TTL, binary.BigEndian.Uint32(msg[p.rr.End-4:]))
			}
			m.take(p, wire.Authority)
			m.takeSignatures(t, p.owner, wire.TypeSOA, wire.Authority)
			if own {
				zone = p.owner
			}
			m.takeDenial(t, zone)
			return true
		}
	}
	return false
}

// takeDenial copies NSEC and NSEC3 records within zone and their signatures, if the client wants them.
func (m *Machine) takeDenial(t *task, zone dname.Name) {
	if !m.wantDO(t) {
		return
	}
	parts := m.response.parts
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Authority || p.rr.Class != t.class || !p.owner.In(zone) {
			continue
		}
		typ := p.rr.Type
		if typ == wire.TypeRRSIG {
			typ = m.response.covered(p)
		}
		if p.rr.Type == wire.TypeNSEC && m.overreaches(p, zone) {
			continue
		}
		if typ == wire.TypeNSEC || typ == wire.TypeNSEC3 {
			m.take(p, wire.Authority)
		}
	}
}

// dropForeignDenial takes back the denial records that came with an alias to name but are about what name's own servers
// are to be asked for: they would be joined to what these say.
func (m *Machine) dropForeignDenial(name dname.Name, typ wire.Type, r *route) {
	theirs := m.groups.find(name, typ)
	if theirs == r.group || r.kind == here {
		return
	}
	for rest := m.records; len(rest) > 0; {
		at := len(m.records) - len(rest)
		rec, next, _ := rest.next()
		rest = next
		if rec.section == wire.Authority && m.groups.find(rec.owner, rec.typ) == theirs {
			m.records = append(m.records[:at], next...)
			rest = m.records[at:]
		}
	}
}
