package resolver

import (
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// fromKnowledge answers a task, or follows its aliases, with what is known already. True if that ended it.
func (m *Machine) fromKnowledge(i int32) bool {
	t := m.tasks.at(i)
	f := m.findings.take()
	defer m.findings.give()
	for m.known.Keeps() {
		f.reset()
		if status, ok := m.knownAnswer(t, f); ok {
			if m.tracer.on() {
				m.tracer.note(m.now, t, "known", "answered from what is known")
			}
			m.reuse(i, f, status)
			return true
		}
		switch t.typ { // RFC 4035, section 2.5: an alias has signatures and an NSEC record of its own.
		case wire.TypeANY, wire.TypeRRSIG:
			return false
		case wire.TypeCNAME, wire.TypeNSEC:
			return m.fromDenials(i, f)
		}
		if t.typ == wire.TypeDS && m.realms.apart(t.current()) {
			return m.fromDenials(i, f)
		}
		status, ok := m.knownAlias(t, f)
		if !ok {
			return m.fromDenials(i, f)
		}
		if f.out != outAlias {
			return false
		}
		if t.validated(&m.trust) && status == dnssec.Unchecked {
			m.conclude(i, f)
			return true
		}
		t.security = min(t.security, status)
		if !m.extend(i, f) {
			m.tooLong(i)
			return true
		}
		if m.fromHere(i) {
			return true
		}
		if t.below {
			return false
		}
	}
	return false
}

// knownAnswer finds what is known of the present question of a task: its records, or that there are none, or no such name.
func (m *Machine) knownAnswer(t *task, f *finding) (status dnssec.Status, ok bool) {
	cur, now, do, brief := t.current(), m.seconds(), t.wantsDO(&m.trust), t.depth > 0
	f.out, f.name, f.source, f.do = outNegative, cur, fromKnown, do
	f.records, f.rcode, status, ok = m.known.Recall(f.records[:0], cur, t.typ, t.class, do, brief, now)
	if !ok && !(t.typ == wire.TypeDS && m.realms.apart(cur)) {
		f.records, f.rcode, status, ok = m.known.Recall(f.records[:0], cur, 0, t.class, do, brief, now)
	}
	if !ok {
		status, ok = m.deniedAbove(t, f)
	}
	f.setTarget(f.name)
	if rec, _, _ := f.records.Next(); ok && rec.Section == wire.Answer && len(f.records) > 0 {
		f.out = outAnswer
	}
	return status, ok
}

// knownAlias finds the alias that is known at the present name of a task. The outcome is another than outAlias if it is
// known that there is none.
func (m *Machine) knownAlias(t *task, f *finding) (status dnssec.Status, ok bool) {
	f.out, f.name, f.source, f.do = outNegative, t.current(), fromKnown, t.wantsDO(&m.trust)
	f.records, f.rcode, status, ok = m.known.Recall(f.records[:0], f.name, wire.TypeCNAME, t.class, f.do, t.depth > 0, m.seconds())
	if rec, _, _ := f.records.Next(); ok && rec.Type == wire.TypeCNAME && rec.Section == wire.Answer {
		f.out = outAlias
		f.setAlias(rec.RData)
	}
	return status, ok
}

// fromDenials answers a task, or follows its alias, with what denial records and wildcards tell. True if that
// ended it.
func (m *Machine) fromDenials(i int32, f *finding) bool {
	t := m.tasks.at(i)
	if !t.validated(&m.trust) {
		return false
	}
	f.reset()
	f.setTarget(t.current())
	ok := m.synthesize(t, f)
	if ok {
		m.proceed(i, f)
	}
	return ok
}

// reuse ends a task with what is known, or validates it first if nobody has done so.
func (m *Machine) reuse(i int32, f *finding, status dnssec.Status) {
	t := m.tasks.at(i)
	if t.validated(&m.trust) && status == dnssec.Unchecked {
		m.conclude(i, f)
		return
	}
	t.security = min(t.security, status)
	m.finish(i, f)
}

// deniedAbove looks for a denial of a name above that of a task: there is nothing below it either (RFC 8020).
// Servers that deny empty non-terminals are still about, so that without signatures only a top-level domain
// is believed not to exist, as the root servers say. The finding is about the name that is denied.
func (m *Machine) deniedAbove(t *task, f *finding) (status dnssec.Status, ok bool) {
	cur, now := t.current(), m.seconds()
	least, from := 1, 1
	if g := m.realms.groups.find(cur, t.typ); g != nil {
		least = max(g.zone.Labels(), 1)
		if from = cur.Labels() - 1; !m.trust.On() {
			return 0, false
		}
	} else if m.trust.On() {
		from = cur.Labels() - 1
	}
	for n := min(from, cur.Labels()-1); n >= least; n-- {
		f.records, f.rcode, status, ok = m.known.Recall(f.records[:0], cur.Suffix(n), 0, t.class, f.do, false, now)
		if ok && (n == 1 || status == dnssec.Secure) {
			f.name = cur.Suffix(n)
			return status, true
		}
	}
	f.records = f.records[:0]
	return 0, false
}
