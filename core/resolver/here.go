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

// own is what a Machine needs to look here.
type own struct {
	here     Here     // nil: nothing is known here
	question Question // of the present look
	name     []byte   // its name
	response response // the last, and the message that it was read from
	msg      []byte
	aside    []byte // the message of a look that only asks for the place
}

// SetHere tells the machine what is known here. Before the first Begin.
func (m *Machine) SetHere(h Here) { m.own.here = h }

// ZonesChanged tells that what is known here has changed: in its data, or, with names set, in the names it covers too.
func (m *Machine) ZonesChanged(names bool) {
	m.tasks.zones++
	if names {
		m.tasks.routes++
		m.known.Purge(func(kind known.Kind, name dname.Name) bool {
			if kind == known.Delegation || kind == known.Own {
				return true // It may have the address of a server with such a name.
			}
			g := m.groups.find(name, wire.TypeA)
			return g != nil && !g.zone.IsRoot() // What is below our zones is not validated.
		})
	}
}

// lookHere asks what is known here. The response, nil if it cannot be read, is valid until the next call.
func (m *Machine) lookHere(name dname.Name, typ wire.Type, c wire.Class, do bool) (*response, Place) {
	o := &m.own
	if o.here == nil {
		return nil, Elsewhere
	}
	var p Place
	if o.msg, p = o.look(o.msg[:0], name, typ, c, do); p == Elsewhere {
		return nil, Elsewhere
	}
	if !o.response.read(o.msg) || o.response.flags&wire.FlagTC != 0 {
		return nil, p
	}
	return &o.response, p
}

// place says where a name is to be looked for. A response that is being read stays as it is.
func (m *Machine) place(name dname.Name, typ wire.Type) Place {
	if m.own.here == nil {
		return Elsewhere
	}
	var p Place
	m.own.aside, p = m.own.look(m.own.aside[:0], name, typ, wire.ClassIN, false)
	return p
}

// look appends what Here says to dst. The name is copied, so that it need not be on the heap.
func (o *own) look(dst []byte, name dname.Name, typ wire.Type, c wire.Class, do bool) ([]byte, Place) {
	o.name = append(o.name[:0], name...)
	o.question = Question{Name: o.name, Type: typ, Class: c, DO: do}
	return o.here.Look(dst, &o.question)
}

// isHere says whether a name is answered here.
func (m *Machine) isHere(name dname.Name, typ wire.Type) bool { return m.place(name, typ) == Answered }

// fromHere answers a task, or follows its aliases, as far as that is done here. True if that ended it. What a zone that
// is served here delegates is asked of the servers that it names.
func (m *Machine) fromHere(i int32) bool {
	t := &m.tasks.list[i]
	if m.own.here == nil || m.isLink(t) || t.depth == primeDepth {
		return false
	}
	f := m.findings.take()
	defer m.findings.give()
	for {
		resp, place := m.lookHere(t.current(), t.typ, t.class, t.do)
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
		if m.tracer != nil {
			m.traceHere(i, place)
		}
		switch {
		case place == Delegated && f.out == outReferral && m.recursive():
			if !m.learn(&m.delegations[i], t, resp, f.child, &r, wire.Authority) {
				m.fail(i, wire.EDEOther, "a zone that is served here has a delegation without servers")
				return true
			}
			t.delegated, t.below = true, true
			m.look(i)
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

// lookForHere adds the addresses that the name of a server has here. False if the name is not answered here.
func (m *Machine) lookForHere(t *task, d *delegation, n int, name dname.Name, typ wire.Type) bool {
	resp, place := m.lookHere(name, typ, t.class, false)
	if place != Answered || resp == nil {
		return place == Answered
	}
	for i := range resp.parts {
		p := &resp.parts[i]
		if a, ok := address(resp.msg[p.rr.Data:p.rr.End], p.rr.Type); ok && p.section == wire.Answer && p.rr.Type == typ {
			d.addAddr(n, a, nsKnown)
		}
	}
	return true
}
