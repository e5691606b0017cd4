package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// needLink makes task i wait for a sub-task that finds and validates DS records, or their absence, or the keys of
// a zone. The outcome is found in m.trust. False if the sub-task has ended without one.
func (m *Machine) needLink(i int32, v *validation, name dname.Name, typ wire.Type) bool {
	t := m.tasks.at(i)
	var lowered [dname.MaxLen]byte
	q := Question{Name: dname.AppendLower(lowered[:0], name), Type: typ, Class: t.class, CD: true, View: t.view}
	depth := t.depth + 1
	hash := m.tasks.hash(&q, depth)
	s := m.tasks.find(hash, &q, depth)
	if v.askedT == typ && v.asked != nil && dname.Equal(v.asked, name) {
		return s >= 0
	}
	v.asked, v.askedT = append(v.asked[:0], name...), typ
	if s < 0 && m.failing.blocked(hash, m.now) {
		return false
	}
	if v.walking { // What the sub-task builds on must not expire before it is needed.
		if z := v.walk.Zone(); typ == wire.TypeDS && m.trust.Zone(z.Name, m.now) == nil {
			m.trust.PutZone(&dnssec.Zone{Name: z.Name, Result: z.Result, Keys: z.Keys}, m.now)
		}
		if ds, _ := v.walk.DS(); typ == wire.TypeDNSKEY {
			if _, _, ok := m.trust.DS(name, m.now); !ok {
				m.trust.PutCut(dnssec.Delegation{Name: dname.AppendLower(nil, name), Result: dnssec.Result{Status: dnssec.Secure}, DS: ds}, m.now)
			}
		}
	}
	fresh := s < 0
	if fresh {
		if s = m.tasks.add(hash, &q, depth); s < 0 {
			return false
		}
		c := m.tasks.at(s)
		c.deadline, c.origin, c.originGen = t.deadline, t.origin, t.originGen
	}
	if !m.tasks.dependents.add(&m.tasks.at(s).parents, i, t.gen) {
		if fresh {
			m.tasks.remove(s)
		}
		return false
	}
	t.subs++
	if m.tracer.on() {
		m.tracer.note(m.now, t, "link", "validation needs "+typ.String()+" of "+name.String())
	}
	c := m.tasks.at(s)
	c.deadline = max(c.deadline, t.deadline) // who joins late has more time
	if fresh {
		m.stats.SubTasks++
		m.start(s)
	}
	return true
}

// startLink begins with a task that looks for a link: what is known already may do, and what the parent said
// along with the referral.
func (m *Machine) startLink(i int32) {
	t := m.tasks.at(i)
	now := m.seconds()
	name := t.current()
	f := m.findings.take()
	defer m.findings.give()
	f.out, f.name, f.source, f.do = outNegative, name, fromKnown, true
	f.setTarget(name)
	if t.typ == wire.TypeDS {
		if value, known := m.known.Get(known.Referral, name, wire.TypeDS, t.class, now); known {
			f.records, f.rcode, f.source = append(f.records, value...), wire.RcodeNoError, fromReferral
			m.conclude(i, f)
			return
		}
	}
	for _, typ := range [...]wire.Type{t.typ, 0, wire.TypeCNAME} {
		if typ != t.typ && t.typ == wire.TypeDS && m.realms.apart(name) {
			break
		}
		var ok bool
		if f.records, f.rcode, _, ok = m.known.Recall(f.records[:0], name, typ, t.class, true, true, now); ok {
			m.conclude(i, f)
			return
		}
	}
	if t.typ == wire.TypeDS && m.trust.SynthesizeCut(name, t.class, m.realms.groups.labels(name, wire.TypeDS), m.now) {
		m.stats.Synthesized++
		m.end(i)
		return
	}
	m.advance(i)
}

// verifyLink asks for the verdict about the response of a task that looks for a link.
func (m *Machine) verifyLink(i int32, v *validation) {
	t := m.tasks.at(i)
	j := &Job{claim: v.claim, name: v.claim.Name}
	if t.typ == wire.TypeDNSKEY {
		ds, ttl, ok := m.trust.DS(t.current(), m.now)
		if !ok {
			m.end(i)
			return
		}
		j.kind, j.ds, j.ttl = jobKeys, ds, ttl
	} else {
		j.kind = jobCut
		if !t.current().IsRoot() {
			j.zone = m.trust.Deepest(t.current().Parent(), dname.Root(), m.now)
		}
		if j.zone == nil || j.zone.Status != dnssec.Secure {
			m.end(i)
			return
		}
	}
	m.submit(i, j)
}

// takeLinkVerdict goes on with a task that looks for a link and has the verdict.
func (m *Machine) takeLinkVerdict(i int32, v *validation, j *Job) {
	t := m.tasks.at(i)
	if m.tracer.on() {
		m.tracer.verdict(m.now, t, "link of the chain of trust", j.result())
	}
	zone := t.current()
	if t.typ == wire.TypeDS {
		zone = zone.Parent()
	}
	m.forwarders.note(t, v.source, zone, j.result())
	if r := j.result(); r.Status == dnssec.Bogus {
		m.distrust(i, &v.finding, r.Reason, 0, false)
		return
	}
	status := dnssec.Unchecked
	if j.kind == jobKeys {
		m.trust.PutZone(j.keys, m.now)
		status = j.keys.Status
	} else {
		m.trust.PutCut(j.cut, m.now)
		if j.cut.Status == dnssec.Secure {
			status = dnssec.Secure
		}
	}
	m.trust.KeepDenials(&v.claim.Response, func(zone dname.Name) bool { return m.realms.speaksFor(t, zone) }, m.now)
	if v.source != fromReferral {
		f := m.findings.take()
		v.believed(f, v.claim.Rcode, status)
		m.known.remember(t, f, status, m.now)
		m.findings.give()
	}
	m.failing.clear(t.hash)
	m.end(i)
}

// breakLink notes, for a while, that a link is broken.
func (m *Machine) breakLink(t *task) {
	result := dnssec.Result{Status: dnssec.Bogus, Reason: t.bogus}
	name := append(dname.Name(nil), t.qname()...)
	ttl := min(brokenTTL, m.failing.most)
	if t.typ == wire.TypeDS {
		m.trust.PutCut(dnssec.Delegation{Name: name, Result: result, TTL: ttl}, m.now)
	} else {
		m.trust.PutZone(&dnssec.Zone{Name: name, Result: result, TTL: ttl}, m.now)
	}
}

// brokenTTL is for how many seconds a link that is bogus is kept. RFC 9520, section 3.2: at least 1 s, at most
// 5 minutes; Unbound keeps bad keys for 60 s. SetFailureTTL may make it less: what hangs on the link fails meanwhile.
const brokenTTL = 30
