package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// synthesize answers the present question of a task from kept records: that there is no such name, no such
// type, or what a wildcard has. False if they do not tell.
func (m *Machine) synthesize(t *task, f *finding) bool {
	found, ok := m.trust.Synthesize(t.current(), t.typ, m.realms.groups.labels(t.current(), t.typ), m.now)
	if !ok {
		return false
	}
	f.records, f.rcode = f.records[:0], wire.RcodeNoError
	if found.Kind == dnssec.Positive {
		if !m.expand(t, f, found.Encloser, found.TTL) {
			return false
		}
	} else {
		f.out = outNegative
		if found.Kind == dnssec.NameError {
			f.rcode = wire.RcodeNXDomain
		}
		for rest := found.SOA; len(rest) > 0; {
			rec, next, _ := rest.Next()
			f.records = f.records.Add(wire.Authority, rec.Owner, rec.Type, rec.Class, found.TTL, rec.RData)
			rest = next
		}
	}
	for i := range found.Proof {
		set := &found.Proof[i]
		for _, rdata := range set.Data {
			f.records = f.records.Add(wire.Authority, set.Owner, set.Type, set.Class, found.TTL, rdata)
		}
		for _, rdata := range set.Sigs {
			f.records = f.records.Add(wire.Authority, set.Owner, wire.TypeRRSIG, set.Class, found.TTL, rdata)
		}
	}
	m.stats.Synthesized++
	return true
}

// expand appends the records of the wildcard below encloser to f, as those of the present name of a task. False if they
// are not known.
func (m *Machine) expand(t *task, f *finding, encloser dname.Name, ttl uint32) bool {
	var buf [dname.MaxLen + 2]byte
	wild := dname.Name(dname.AppendLower(append(buf[:0], 1, '*'), encloser))
	kept := m.findings.take()
	defer m.findings.give()
	recs, _, status, ok := m.known.Recall(kept.records, wild, t.typ, t.class, true, false, m.seconds())
	f.out = outAnswer
	if !ok {
		recs, _, status, ok = m.known.Recall(kept.records, wild, wire.TypeCNAME, t.class, true, false, m.seconds())
		f.out = outAlias
	}
	kept.records = recs
	if first, _, _ := recs.Next(); !ok || status != dnssec.Secure || len(recs) == 0 || first.Section != wire.Answer {
		return false
	}
	for len(recs) > 0 {
		rec, next, _ := recs.Next()
		if rec.Section == wire.Answer && dname.Equal(rec.Owner, wild) {
			f.records = f.records.Add(rec.Section, t.current(), rec.Type, rec.Class, min(ttl, rec.TTL), rec.RData)
			if rec.Type == wire.TypeCNAME && f.out == outAlias {
				f.setAlias(rec.RData)
			}
		}
		recs = next
	}
	return true
}

// keepWildcards keeps the records that a validated response to task t has from wildcards, for other names (RFC 8198,
// section 5.3).
func (m *Machine) keepWildcards(t *task, c *claim, rank known.Rank) {
	f := m.findings.take()
	defer m.findings.give()
	for i := range c.Sets {
		set := &c.Sets[i]
		if !set.Expanded() || set.Status != dnssec.Secure || set.Section != wire.Answer || len(set.Encloser)+2 > dname.MaxLen {
			continue
		}
		if !m.realms.speaksFor(t, set.Encloser) {
			continue
		}
		wild := dname.Name(dname.AppendLower([]byte{1, '*'}, set.Encloser))
		f.records = f.records[:0]
		for _, rdata := range set.Data {
			f.records = f.records.Add(wire.Answer, wild, set.Type, set.Class, set.TTL, rdata)
		}
		for _, rdata := range set.Sigs {
			f.records = f.records.Add(wire.Answer, wild, wire.TypeRRSIG, set.Class, set.TTL, rdata)
		}
		m.known.Add(wild, set.Type, set.Class, &known.Set{
			Records: f.records, Rank: rank, Status: dnssec.Secure, DO: true, TTL: min(set.TTL, known.MaxRRsetTTL),
		}, m.seconds())
	}
}
