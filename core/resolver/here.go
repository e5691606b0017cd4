package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// Here is what this server knows by itself: the zones that it serves, and special names. Whatever an alias or a
// delegation leads to is looked for here first, as a client's question is.
type Here interface {
	// Look appends the response to q, header and all, to dst; nothing with Elsewhere. DO decides whether DNSSEC records
	// are in it. q is borrowed.
	Look(dst []byte, q *Question) ([]byte, Place)
}

// Place says where a name is to be looked for.
type Place uint8

const (
	Elsewhere Place = iota // not here
	Answered               // the response says what there is at the name, or leads on from it by aliases
	Delegated              // the response is a referral from a zone that is served here
)

// SetHere tells the machine what is known here. Before the first Begin.
func (m *Machine) SetHere(h Here) { m.realms.own.here = h }

// ZonesChanged tells that what is known here has changed: in its data, or, with names set, in the names it covers too.
func (m *Machine) ZonesChanged(names bool) {
	m.tasks.zones++
	if names {
		m.tasks.routes++
		m.known.Purge(func(kind known.Kind, name dname.Name) bool {
			if kind == known.Delegation || kind == known.Own {
				return true // It may have the address of a server with such a name.
			}
			g := m.realms.groups.find(name, wire.TypeA)
			return g != nil && !g.zone.IsRoot() // What is below our zones is not validated.
		})
	}
}

// fromHere answers a task, or follows its aliases, as far as that is done here. True if that ended it. What a zone that
// is served here delegates is asked of the servers that it names.
func (m *Machine) fromHere(i int32) bool {
	t := m.tasks.at(i)
	if m.realms.own.here == nil || t.isLink(&m.trust) || t.depth == primeDepth {
		return false
	}
	f := m.findings.take()
	defer m.findings.give()
	for {
		resp, place := m.realms.lookHere(t.current(), t.typ, t.class, t.do)
		if place == Elsewhere {
			return false
		}
		t.security = min(t.security, dnssec.Insecure) // Nobody validates it: it is ours.
		t.ours = true
		f.reset()
		r := route{kind: here, zone: dname.Root()}
		if f.out = outMalformed; resp != nil {
			m.scrub(f, t, t.current(), t.typ, resp, &r)
		}
		if resp != nil && resp.rcode == wire.RcodeServFail {
			m.fail(i, wire.EDENotReady, "a zone that is served here is not loaded")
			return true
		}
		if m.tracer.on() {
			m.tracer.here(m.now, t, place)
		}
		switch {
		case place == Delegated && f.out == outReferral && m.recursive():
			if !m.delegations.learn(m.delegations.at(i), t, resp, f.child, &r, wire.Authority, m.now) {
				m.fail(i, wire.EDEOther, "a zone that is served here has a delegation without servers")
				return true
			}
			t.delegated, t.below = true, true
			m.delegations.look(t, m.delegations.at(i), m.now)
			return false
		case f.out == outAlias:
			f.records.MarkOurs()
			if !m.extend(i, f) {
				m.tooLong(i)
				return true
			}
			continue
		case f.out == outAnswer || f.out == outNegative || f.out == outLoop:
			m.proceed(i, f)
			return true
		}
		m.fail(i, wire.EDEOther, "what is served here of the name cannot be used")
		return true
	}
}
