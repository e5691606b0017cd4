package resolver

import (
	"slices"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// Basis is what a question is answered from.
type Basis uint8

const (
	OnOthers  Basis = iota // others have to be asked
	OnZones                // what is served here
	OnRecords              // what has been learned of the name, or that there is none above it
	OnDenials              // kept NSEC and NSEC3 records, and wildcards (RFC 8198)
)

// Foreseen is how far a question gets before anybody is asked for what it is about.
type Foreseen struct {
	On      Basis         // of the end of the aliases
	Name    dname.Name    // the end of the aliases that are known, or the question's
	Aliases int           // that lead there
	Denied  dname.Name    // a name above Name that is known not to exist; nil: it is not for that
	Rcode   wire.Rcode    // not with OnOthers
	Status  dnssec.Status // of aliases and end; Unchecked: none of it was validated yet, or part of it
}

// foresee does what a task for a question begins with (see start), as far as that changes nothing. The stores are quiet.
func (m *Machine) foresee(q *Question) (p Foreseen) {
	p.Name = slices.Clone(q.Name)
	if !m.recursive() && m.realms.groups.find(q.Name, q.Type) == nil && !m.realms.isHere(q.Name, q.Type) {
		return p
	}
	t := &task{typ: q.Type, class: q.Class, do: q.DO, cd: q.CD, view: q.View, chain: -1, security: dnssec.Secure, above: noLimit}
	t.setCurrent(q.Name)
	f := m.findings.take()
	defer m.findings.give()
	for p.On = m.foreseeName(t, f); p.On != OnOthers && f.out == outAlias; p.On = m.foreseeName(t, f) {
		p.Aliases += aliasesOf(f.records)
		if p.Aliases > maxChain {
			f.out, f.rcode = outNegative, wire.RcodeServFail
			break
		}
		t.setCurrent(f.target)
	}
	p.Name, p.Status = slices.Clone(t.current()), t.security
	if p.On == OnOthers {
		return p
	}
	if p.Rcode = f.rcode; p.On == OnRecords && len(f.name) < len(p.Name) {
		p.Denied = slices.Clone(f.name)
	}
	if t.validated(&m.trust) && p.Status == dnssec.Secure && m.trust.SentinelFails(q.Name, q.Type) {
		p.Rcode = wire.RcodeServFail
	}
	return p
}

// foreseeName is fromHere, fromKnowledge and fromDenials for the present name of a task: it finds what they would.
func (m *Machine) foreseeName(t *task, f *finding) Basis {
	if on, here := m.foreseeHere(t, f); here {
		return on
	}
	if !m.known.Keeps() {
		return OnOthers
	}
	f.reset()
	if status, ok := m.known.answer(t, f, m.now); ok {
		t.security = min(t.security, m.settled(t, f, status))
		return OnRecords
	}
	switch {
	case t.typ == wire.TypeANY || t.typ == wire.TypeRRSIG:
		return OnOthers
	case t.typ == wire.TypeCNAME || t.typ == wire.TypeNSEC || t.typ == wire.TypeDS && m.realms.apart(t.current()):
	default:
		if status, ok := m.known.alias(t, f, m.now); ok {
			if f.out != outAlias {
				return OnOthers
			}
			t.security = min(t.security, m.settled(t, f, status))
			return OnRecords
		}
	}
	if !t.validated(&m.trust) {
		return OnOthers
	}
	f.reset()
	f.setTarget(t.current())
	if !m.known.synthesize(t, f, m.now) {
		return OnOthers
	}
	return OnDenials
}

// foreseeHere is fromHere for the present name; false if it is to be looked for elsewhere.
func (m *Machine) foreseeHere(t *task, f *finding) (on Basis, ok bool) {
	resp, place := m.realms.lookHere(t.current(), t.typ, t.class, t.do)
	if place == Elsewhere {
		return OnOthers, false
	}
	t.security = min(t.security, dnssec.Insecure)
	f.reset()
	r := route{kind: here, zone: dname.Root()}
	if f.out = outMalformed; resp != nil {
		m.scrub(f, t, t.current(), t.typ, resp, &r)
	}
	switch f.out {
	case outReferral:
		return OnOthers, true
	case outAlias, outAnswer, outNegative:
	default:
		f.rcode = wire.RcodeServFail
	}
	return OnZones, true
}

// settled is the status of a finding out of what is known: nothing has to be looked up where there is nothing to validate.
func (m *Machine) settled(t *task, f *finding, status dnssec.Status) dnssec.Status {
	if status != dnssec.Unchecked || !t.validated(&m.trust) {
		return status
	}
	if status, ok := m.trust.Unsigned(f.name, t.typ, m.now); ok {
		return status
	}
	if m.realms.belowOurs(f.name, t.typ) {
		return dnssec.Insecure
	}
	return dnssec.Unchecked
}

// aliasesOf counts the aliases among records.
func aliasesOf(records known.Records) (n int) {
	for len(records) > 0 {
		rec, next, _ := records.Next()
		if rec.Type == wire.TypeCNAME {
			n++
		}
		records = next
	}
	return n
}
