package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// Bounds of the NSEC and NSEC3 records that are kept to answer from (RFC 8198). A record takes about 500 bytes.
const (
	maxDenials   = 128  // zones with such records
	maxSpans     = 128  // records of one zone
	maxRootSpans = 2048 // of the root, which has 1,450 and meets most of the nonsense
	maxSOA       = 2048 // octets of an SOA record with its signatures
)

// spanHashes is what may be hashed to answer one question from NSEC3 records on the shard's thread: 64 blocks
// take 10 µs. Zones that use no iterations, as RFC 9276 wants it, need one for each name tried.
const spanHashes = 64

// denials are the validated NSEC and NSEC3 records of zones, with the SOA record that goes with them, by the name
// of the zone.
type denials map[string]*denial

type denial struct {
	spans *dnssec.Spans
	soa   known.Records // the SOA record with its signatures
	until uint32        // second until which soa holds
}

// keepDenial keeps what a validated response to task t says about what does not exist.
func (m *Machine) keepDenial(t *task, c *claim) {
	now := m.seconds()
	any := false
	for i := range c.Sets {
		set := &c.Sets[i]
		if set.Status == dnssec.Secure && set.Section == wire.Authority && (set.Type == wire.TypeNSEC || set.Type == wire.TypeNSEC3) && m.realms.speaksFor(t, set.Signer) {
			kept := *set
			kept.TTL = min(kept.TTL, known.MaxNegativeTTL) // RFC 9077: a negative answer's TTL, whatever the signer took
			d := m.denialOf(set.Signer)
			before := d.spans.Bytes()
			any = d.spans.Put(&kept, now) || any
			m.trust.kept += d.spans.Bytes() - before
			m.makeRoom(d)
		}
	}
	for i := 0; i < len(c.Sets) && any; i++ {
		set := &c.Sets[i]
		if set.Status != dnssec.Secure || set.Section != wire.Authority || set.Type != wire.TypeSOA || len(set.Data) != 1 {
			continue
		}
		d := m.denialOf(set.Signer)
		d.soa = d.soa[:0].Add(wire.Authority, set.Owner, wire.TypeSOA, set.Class, set.TTL, set.Data[0])
		for _, rdata := range set.Sigs {
			if len(d.soa) < maxSOA {
				d.soa = d.soa.Add(wire.Authority, set.Owner, wire.TypeRRSIG, set.Class, set.TTL, rdata)
			}
		}
		if len(d.soa) > maxSOA {
			d.soa, d.until = nil, 0
			continue
		}
		d.until = now + min(set.TTL, known.MaxNegativeTTL)
	}
}

// makeRoom forgets denials of other zones than the one of keep until all have room.
func (m *Machine) makeRoom(keep *denial) {
	for name, d := range m.trust.denials { // in an order that nobody can foresee
		if m.trust.kept <= m.trust.room {
			return
		}
		if d != keep {
			m.trust.dropDenial(name)
		}
	}
}

// dropDenial forgets what is kept for a zone.
func (t *trust) dropDenial(zone string) {
	t.kept -= t.denials[zone].spans.Bytes()
	delete(t.denials, zone)
}

// denialOf returns what is kept for a zone.
func (m *Machine) denialOf(zone dname.Name) *denial {
	key := m.trust.lower(zone)
	if d := m.trust.denials[string(key)]; d != nil {
		return d
	}
	for old := range m.trust.denials {
		if len(m.trust.denials) < maxDenials {
			break
		}
		m.trust.dropDenial(old)
	}
	limit := maxSpans
	if zone.IsRoot() {
		limit = maxRootSpans
	}
	d := &denial{spans: dnssec.NewSpans(key, limit, m.trust.room/2)}
	m.trust.denials[string(key)] = d
	return d
}

// spansFor returns what is kept of the zone that a name is in, for questions of a type.
func (m *Machine) spansFor(name dname.Name, typ wire.Type) (*denial, *dnssec.Zone) {
	if len(m.trust.denials) == 0 || typ == wire.TypeDS && name.IsRoot() {
		return nil, nil
	}
	if _, unsigned := m.trust.unsigned(name, typ, m.now); unsigned {
		return nil, nil
	}
	in := name
	if typ == wire.TypeDS {
		in = name.Parent()
	}
	z := m.trust.deepest(in, m.trust.anchors.Closest(in).Zone, m.now)
	if z == nil || z.Status != dnssec.Secure {
		return nil, nil
	}
	if g := m.realms.groups.find(name, typ); g != nil && g.zone.Labels() > z.Name.Labels() {
		return nil, nil // The operator says who knows.
	}
	d := m.trust.denials[string(m.trust.lower(z.Name))]
	if d == nil || d.spans.Len() == 0 {
		return nil, nil
	}
	return d, z
}

// synthesize answers the present question of a task from kept records: that there is no such name, no such
// type, or what a wildcard has. False if they do not tell.
func (m *Machine) synthesize(t *task, f *finding) bool {
	cur, now := t.current(), m.seconds()
	d, _ := m.spansFor(cur, t.typ)
	if d == nil || len(d.soa) == 0 || now >= d.until {
		return false
	}
	budget := dnssec.HashBudget(spanHashes)
	v := dnssec.Validator{Policy: &m.trust.policy, Budget: &budget}
	found, ok := d.spans.Synthesize(&v, cur, t.typ, now)
	if !ok {
		return false
	}
	f.records, f.rcode = f.records[:0], wire.RcodeNoError
	ttl := d.until - now
	for i := range found.Proof {
		ttl = min(ttl, found.Proof[i].TTL)
	}
	switch found.Kind {
	case dnssec.Positive:
		if !m.expand(t, f, found.Encloser, ttl) {
			return false
		}
	default:
		f.out = outNegative
		if found.Kind == dnssec.NameError {
			f.rcode = wire.RcodeNXDomain
		}
		soa, _, _ := d.soa.Next()
		// RFC 8198, section 5.4: no longer than a negative answer of the zone.
		ttl = min(ttl, binary.BigEndian.Uint32(soa.RData[len(soa.RData)-4:]))
		for rest := d.soa; len(rest) > 0; {
			rec, next, _ := rest.Next()
			f.records = f.records.Add(wire.Authority, rec.Owner, rec.Type, rec.Class, ttl, rec.RData)
			rest = next
		}
	}
	for i := range found.Proof {
		set := &found.Proof[i]
		for _, rdata := range set.Data {
			f.records = f.records.Add(wire.Authority, set.Owner, set.Type, set.Class, ttl, rdata)
		}
		for _, rdata := range set.Sigs {
			f.records = f.records.Add(wire.Authority, set.Owner, wire.TypeRRSIG, set.Class, ttl, rdata)
		}
	}
	m.stats.Synthesized++
	return true
}

// expand appends the records of the wildcard below encloser to f, as those of the present name of a task. False if they
// are not known.
func (m *Machine) expand(t *task, f *finding, encloser dname.Name, ttl uint32) bool {
	var buf [dname.MaxLen + 2]byte
	wild := append(append(dname.Name(buf[:0]), 1, '*'), m.trust.lower(encloser)...)
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
		wild := append(dname.Name{1, '*'}, m.trust.lower(set.Encloser)...)
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

// synthesizeCut finds out from kept records that a name has no DS records, and whether a zone begins there.
func (m *Machine) synthesizeCut(t *task) bool {
	name := t.current()
	d, zone := m.spansFor(name, wire.TypeDS)
	if d == nil {
		return false
	}
	budget := dnssec.HashBudget(spanHashes)
	v := dnssec.Validator{Policy: &m.trust.policy, Budget: &budget}
	found, ok := d.spans.Synthesize(&v, name, wire.TypeDS, m.seconds())
	if !ok || found.Kind == dnssec.Positive {
		return false
	}
	r := dnssec.Response{Name: name, Type: wire.TypeDS, Class: t.class, Sets: found.Proof}
	cut := v.ValidateDelegation(&r, name, zone)
	if cut.Status == dnssec.Bogus {
		return false
	}
	m.trust.putCut(cut, m.now)
	m.stats.Synthesized++
	return true
}
