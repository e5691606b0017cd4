package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// take copies a record into a section.
func (s *scrubber) take(p *part, section wire.Section) {
	filled, ok := s.resp.take(s.f.records, p, section)
	if !ok {
		s.malformed = true
		return
	}
	s.f.records = filled
}

// take appends a record to dst; false if its RDATA cannot be read or there is too much of it.
func (r *response) take(dst known.Records, p *part, section wire.Section) (known.Records, bool) {
	start := len(dst)
	filled, ok := wire.UnpackRData(dst.Begin(section, p.owner, p.rr.Type, p.rr.Class, p.rr.TTL), r.msg, &p.rr)
	if !ok || len(filled) > maxTaken {
		return dst, false
	}
	dst = filled
	dst.Seal(start)
	return dst, true
}

// takeRRset copies the records of a type at name and their signatures out of the answer section.
func (s *scrubber) takeRRset(name dname.Name, typ wire.Type) (found bool) {
	parts := s.resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section == wire.Answer && p.rr.Class == s.class && (p.rr.Type == typ || typ == wire.TypeANY) && dname.Equal(p.owner, name) {
			if p.rr.Type == wire.TypeNSEC && s.overreaches(p, s.zone) {
				continue
			}
			start := len(s.f.records)
			s.take(p, wire.Answer)
			// RFC 2181, section 5: there are no two records of the same data.
			if last, _, ok := s.f.records[start:].Next(); ok && start < maxUnique && s.f.records[:start].Has(&last) {
				s.f.records = s.f.records[:start]
			}
			found = true
		}
	}
	if found && typ != wire.TypeANY {
		s.takeSignatures(name, typ, wire.Answer)
	}
	return found
}

// takeSignatures copies the RRSIG records that cover a type at name, if they are wanted.
func (s *scrubber) takeSignatures(name dname.Name, typ wire.Type, section wire.Section) {
	if !s.do {
		return
	}
	parts := s.resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section == section && p.rr.Class == s.class && s.resp.covered(p) == typ && dname.Equal(p.owner, name) {
			s.take(p, section)
		}
	}
}

// takeCNAME copies the CNAME at name, whose target becomes that of the finding. Only the first counts: RFC 2181, section
// 10.1 allows no more.
func (s *scrubber) takeCNAME(name dname.Name) bool {
	parts := s.resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Answer || p.rr.Type != wire.TypeCNAME || p.rr.Class != s.class || !dname.Equal(p.owner, name) {
			continue
		}
		start := len(s.f.records)
		s.take(p, wire.Answer)
		if s.malformed {
			return false
		}
		s.takeSignatures(name, wire.TypeCNAME, wire.Answer)
		rec, _, _ := s.f.records[start:].Next()
		s.f.setAlias(rec.RData)
		return true
	}
	return false
}

// renaming is what a DNAME record does to a name.
type renaming uint8

const (
	keepsName renaming = iota // there is none
	changesName
	nameTooLong // the new name would be
)

// takeDNAME copies a DNAME above name with the CNAME that follows from it, which is made here rather than
// believed. Its target becomes that of the finding.
func (s *scrubber) takeDNAME(name dname.Name) renaming {
	parts := s.resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Answer || p.rr.Type != wire.TypeDNAME || p.rr.Class != s.class ||
			len(p.owner) >= len(name) || !name.In(p.owner) || !s.realms.belongs(p.owner, wire.TypeDNAME, &s.route) {
			continue
		}
		start := len(s.f.records)
		s.take(p, wire.Answer)
		if s.malformed {
			return keepsName
		}
		var buf [2 * dname.MaxLen]byte
		rec, _, _ := s.f.records[start:].Next()
		alias := append(append(dname.Name(buf[:0]), name[:len(name)-len(p.owner)]...), rec.RData...)
		s.takeSignatures(p.owner, wire.TypeDNAME, wire.Answer)
		if len(alias) > dname.MaxLen {
			return nameTooLong
		}
		s.f.records = s.f.records.Add(wire.Answer|known.MadeHere, name, wire.TypeCNAME, s.class, p.rr.TTL, alias)
		s.f.setAlias(alias)
		return changesName
	}
	return keepsName
}

// takeSOA copies the SOA that proves a negative answer about name, with the denial records: those of the SOA's zone
// alone if own is set.
func (s *scrubber) takeSOA(name dname.Name, own bool) bool {
	zone, parts := s.zone, s.resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section == wire.Authority && p.rr.Type == wire.TypeSOA && p.rr.Class == s.class && name.In(p.owner) && p.owner.In(zone) {
			if msg := s.resp.msg; p.rr.End-p.rr.Data >= 22 {
				// RFC 2308, section 5: MINIMUM, the last field, caps the TTL of a negative answer.
				p.rr.TTL = min(p.rr.TTL, binary.BigEndian.Uint32(msg[p.rr.End-4:]))
			}
			s.take(p, wire.Authority)
			s.takeSignatures(p.owner, wire.TypeSOA, wire.Authority)
			if own {
				zone = p.owner
			}
			s.takeDenial(zone)
			return true
		}
	}
	return false
}

// takeDenial copies NSEC and NSEC3 records within zone and their signatures, if they are wanted.
func (s *scrubber) takeDenial(zone dname.Name) {
	if !s.do {
		return
	}
	parts := s.resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Authority || p.rr.Class != s.class || !p.owner.In(zone) {
			continue
		}
		typ := p.rr.Type
		if typ == wire.TypeRRSIG {
			typ = s.resp.covered(p)
		}
		if p.rr.Type == wire.TypeNSEC && s.overreaches(p, zone) {
			continue
		}
		if typ == wire.TypeNSEC || typ == wire.TypeNSEC3 {
			s.take(p, wire.Authority)
		}
	}
}

// dropForeignDenial takes back the denial records that came with an alias to name but are about what name's own servers
// are to be asked for: they would be joined to what these say.
func (s *scrubber) dropForeignDenial(name dname.Name, typ wire.Type) {
	groups, recs := &s.realms.groups, s.f.records
	theirs := groups.find(name, typ)
	if theirs == s.route.group || s.route.kind == here {
		return
	}
	for rest := recs; len(rest) > 0; {
		at := len(recs) - len(rest)
		rec, next, _ := rest.Next()
		rest = next
		if rec.Section == wire.Authority && groups.find(rec.Owner, rec.Type) == theirs {
			recs = append(recs[:at], next...)
			rest = recs[at:]
		}
	}
	s.f.records = recs
}
