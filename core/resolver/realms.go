package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// realms tell which way a name goes: it is known here, or a group owns it, or the servers of its zone are asked. A server is
// believed only about names whose way leads to it.
type realms struct {
	groups groups
	own    own
}

// own is what is needed to look here.
type own struct {
	here     Here     // nil: nothing is known here
	question Question // of the present look
	name     []byte   // its name
	response response // the last, and the message that it was read from
	msg      []byte
	aside    []byte // the message of a look that only asks for the place
}

// lookHere asks what is known here. The response, nil if it cannot be read, is valid until the next call.
func (z *realms) lookHere(name dname.Name, typ wire.Type, c wire.Class, do bool) (*response, Place) {
	o := &z.own
	if o.here == nil {
		return nil, Elsewhere
	}
	var p Place
	if o.msg, p = o.ask(o.msg[:0], name, typ, c, do); p == Elsewhere {
		return nil, Elsewhere
	}
	if !o.response.read(o.msg) || o.response.flags&wire.FlagTC != 0 {
		return nil, p
	}
	return &o.response, p
}

// place says where a name is to be looked for. A response that is being read stays as it is.
func (z *realms) place(name dname.Name, typ wire.Type) Place {
	if z.own.here == nil {
		return Elsewhere
	}
	var p Place
	z.own.aside, p = z.own.ask(z.own.aside[:0], name, typ, wire.ClassIN, false)
	return p
}

// ask appends what Here says to dst. The name is copied, so that it need not be on the heap.
func (o *own) ask(dst []byte, name dname.Name, typ wire.Type, c wire.Class, do bool) ([]byte, Place) {
	o.name = append(o.name[:0], name...)
	o.question = Question{Name: o.name, Type: typ, Class: c, DO: do}
	return o.here.Look(dst, &o.question)
}

// isHere says whether a name is answered here.
func (z *realms) isHere(name dname.Name, typ wire.Type) bool { return z.place(name, typ) == Answered }

// belongs says whether servers of r are believed about the records of a type at name: whether the name's own route
// leads to them. What a server says of other names counts for nothing, whatever it was asked for (MaginotDNS,
// USENIX Security '23): a forwarder speaks for the zone it is configured for, less the zones below with a route of their
// own.
func (z *realms) belongs(name dname.Name, typ wire.Type, r *route) bool {
	switch z.place(name, typ) {
	case Answered:
		return r.kind == here
	case Delegated:
		return r.below && name.In(r.zone)
	}
	return r.kind != here && name.In(r.zone) && z.groups.find(name, typ) == r.group
}

// mayGlue says whether a referral by route r may have the addresses of a name.
func (z *realms) mayGlue(name dname.Name, typ wire.Type, r *route) bool {
	if r.kind == here {
		return true
	}
	if place := z.place(name, typ); place != Elsewhere {
		return place == Delegated && r.below
	}
	return r.below || z.groups.find(name, typ) == r.group
}

// belowOurs says whether a name is in a group's zone below a zone that is served here. What that leaves to the group is
// its own matter: the rest of the world need not know of it, and may deny that there is such a name.
func (z *realms) belowOurs(name dname.Name, typ wire.Type) bool {
	for g := z.groups.find(name, typ); g != nil && !g.zone.IsRoot(); {
		parent := g.zone.Parent()
		if z.place(parent, wire.TypeSOA) != Elsewhere {
			return true
		}
		g = z.groups.find(parent, wire.TypeSOA)
	}
	return false
}

// apart says whether the DS records of name are asked of others than all else at it: then what is known of the one says
// nothing about the other.
func (z *realms) apart(name dname.Name) bool {
	return z.groups.find(name, wire.TypeDS) != z.groups.find(name, wire.TypeA)
}

// speaksFor says whether the route of a task's present name is that of another name, too. Of one zone there may be two
// views with the same keys: what the servers of a group below its apex prove counts for the names of the group alone.
func (z *realms) speaksFor(t *task, name dname.Name) bool {
	return z.groups.find(name, wire.TypeSOA) == z.groups.find(t.current(), t.typ) && !z.isHere(name, wire.TypeSOA)
}
