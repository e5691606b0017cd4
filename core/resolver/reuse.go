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
		if status, ok := m.known.answer(t, f, m.now); ok {
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
		status, ok := m.known.alias(t, f, m.now)
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

// fromDenials answers a task, or follows its alias, with what denial records and wildcards tell. True if that
// ended it.
func (m *Machine) fromDenials(i int32, f *finding) bool {
	t := m.tasks.at(i)
	if !t.validated(&m.trust) {
		return false
	}
	f.reset()
	f.setTarget(t.current())
	ok := m.known.synthesize(t, f, m.now)
	if ok {
		m.stats.Synthesized++
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
