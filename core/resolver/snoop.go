package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
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
	m.message.begin(q, 0)
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
		m.message.write(f.records, nil, wire.Answer, q)
		if typ != wire.TypeCNAME || q.Type == wire.TypeCNAME || q.Type == wire.TypeANY {
			m.message.write(f.records, nil, wire.Authority, q)
			break
		}
		if rec, _, ok := f.records.Next(); ok && rec.Section == wire.Answer && rec.Type == wire.TypeCNAME {
			f.setAlias(rec.RData)
			known = false
		}
	}
	if !known {
		empty := m.message.Len()
		if m.message.writeServers(f.target, q.Class, &m.known.Store, m.seconds()); m.message.Len() == empty && dname.Equal(f.target, q.Name) {
			return Answer{}, false // RFC 2308, section 2.2: an empty response would deny that there is data
		}
	}
	m.message.SetFlags(uint16(code) & wire.RcodeMask)
	return Answer{Msg: m.lend(m.message.Finish()), Rcode: code, AD: secure && known}, true
}
