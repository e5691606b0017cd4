package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// Snoop answers a question with what is known, asking nobody, as clients want it that clear RD: the answer
// or the aliases that lead towards it, else the servers of the closest zone known in the authority section.
// Answer.Msg is valid until Clear. False if nothing is known, or the machine does not iterate.
func (m *Machine) Snoop(now int64, q *Question) (Answer, bool) {
	m.now = now
	if !m.recursive() {
		return Answer{}, false
	}
	m.builder.Reset(m.message[:cap(m.message)], wire.MaxLen)
	m.builder.Header(0, wire.FlagQR|wire.FlagRA)
	m.builder.Question(q.Name, q.Type, q.Class)
	f := m.findings.take()
	defer m.findings.give()
	f.setAlias(q.Name)
	code, known, typ := wire.RcodeNoError, false, q.Type
	secure := m.trust.On() && !q.CD
	for links := 0; links <= maxChain && !known; links++ {
		if links > 0 && m.realms.isHere(f.target, q.Type) {
			break // for the client to ask about
		}
		for _, typ = range [3]wire.Type{q.Type, 0, wire.TypeCNAME} {
			if typ != q.Type && q.Type == wire.TypeDS && m.realms.apart(f.target) {
				break
			}
			var status dnssec.Status
			f.records, code, status, known = m.known.Recall(f.records[:0], f.target, typ, q.Class, q.DO, false, m.seconds())
			if known && status == dnssec.Unchecked && m.trust.On() && !q.CD {
				known = false // Nobody has validated it yet.
			}
			if known {
				secure = secure && status == dnssec.Secure
				break
			}
		}
		if !known {
			break
		}
		m.write(f.records, nil, wire.Answer, q)
		if typ != wire.TypeCNAME || q.Type == wire.TypeCNAME || q.Type == wire.TypeANY {
			m.write(f.records, nil, wire.Authority, q)
			break
		}
		if rec, _, ok := f.records.Next(); ok && rec.Section == wire.Answer && rec.Type == wire.TypeCNAME {
			f.setAlias(rec.RData)
			known = false
		}
	}
	if !known {
		empty := m.builder.Len()
		if m.writeServers(f.target, q.Class); m.builder.Len() == empty && dname.Equal(f.target, q.Name) {
			return Answer{}, false // RFC 2308, section 2.2: an empty response would deny that there is data
		}
	}
	m.builder.SetFlags(uint16(code) & wire.RcodeMask)
	return Answer{Msg: m.lend(m.builder.Finish()), Rcode: code, AD: secure && known}, true
}

// write adds the records of a section to the message that is being built, but for those of the authority section
// that are written already; false if it got too long.
func (m *Machine) write(part, written known.Records, s wire.Section, q *Question) bool {
	for len(part) > 0 {
		if part.Section() != s {
			part = part.Skip()
			continue
		}
		rec, rest, _ := part.Next()
		part = rest
		if s == wire.Authority && len(written) > 0 && written.Has(&rec) {
			continue
		}
		if !q.DO && rec.Type != q.Type && q.Type != wire.TypeANY && isDNSSEC(rec.Type) {
			continue
		}
		if !m.builder.RR(rec.Section, rec.Owner, rec.Type, rec.Class, rec.TTL, rec.RData) {
			return false
		}
	}
	return true
}

// writeServers adds the NS records of the closest delegation that is known. How long they are good for is
// not kept with them: their TTL is 0.
func (m *Machine) writeServers(name dname.Name, c wire.Class) {
	for n := name.Labels(); n > 0; n-- {
		value, ok := m.known.Get(known.Delegation, name.Suffix(n), wire.TypeNS, c, m.seconds())
		if !ok {
			continue
		}
		for server := range storedServers(value) {
			m.builder.RR(wire.Authority, name.Suffix(n), wire.TypeNS, c, 0, server)
		}
		return
	}
}
