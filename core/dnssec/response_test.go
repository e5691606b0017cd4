package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// readResponse reads a whole response in wire form. Signatures go with the sets that they cover; those that
// cover none are left out, and so is an OPT record. It fails on a message without a question and on malformed
// data.
func readResponse(msg []byte) (*Response, bool) {
	var r wire.Reader
	if !r.Reset(msg) {
		return nil, false
	}
	g := grouper{msg: msg, index: make([]setKey, 0, 16)}
	nameOff, t, c := r.Question()
	name, ok := g.name(nameOff)
	if nameOff == 0 || !ok {
		return nil, false
	}
	g.resp = Response{Name: name, Type: t, Class: c, Rcode: wire.RcodeOf(wire.Flags(msg))}
	var rr wire.RR
	for {
		section, ok := r.Next(&rr)
		if !ok {
			break
		}
		if rr.Type != wire.TypeOPT && !g.add(section, &rr) {
			return nil, false
		}
	}
	if r.Err() {
		return nil, false
	}
	for i := range g.sigs {
		g.attach(&g.sigs[i])
	}
	return &g.resp, true
}

// setKey finds an RRset without comparing names each time.
type setKey struct {
	section wire.Section
	t       wire.Type
	class   wire.Class
	hash    uint64 // of the owner
}

// grouper sorts the records of a message into RRsets.
type grouper struct {
	msg   []byte
	resp  Response
	index []setKey // of resp.Sets
	sigs  []signature
}

// signature is an RRSIG record whose set may come later.
type signature struct {
	key   setKey
	owner dname.Name
	rdata []byte
}

func (g *grouper) name(off int) (dname.Name, bool) {
	b, _, ok := dname.Unpack(make([]byte, 0, 32), g.msg, off)
	return b, ok
}

func (g *grouper) add(section wire.Section, rr *wire.RR) bool {
	owner, ok := g.name(rr.Owner)
	if !ok {
		return false
	}
	rdata, ok := wire.UnpackRData(make([]byte, 0, rr.End-rr.Data), g.msg, rr)
	if !ok {
		return false
	}
	key := setKey{section, rr.Type, rr.Class, dname.Hash(0, owner)}
	if rr.Type == wire.TypeRRSIG && g.resp.Type != wire.TypeRRSIG {
		sig, ok := ParseRRSIG(rdata)
		if ok {
			key.t = sig.TypeCovered
			g.sigs = append(g.sigs, signature{key, owner, rdata})
		}
		return ok
	}
	set := g.find(key, owner)
	if set == nil {
		g.index = append(g.index, key)
		g.resp.Sets = append(g.resp.Sets, RRset{Owner: owner, Type: rr.Type, Class: rr.Class, Section: section, TTL: rr.TTL})
		set = &g.resp.Sets[len(g.resp.Sets)-1]
	}
	// RFC 2181, section 5.2: an RRset has one TTL; of several the lowest is the safe one.
	set.TTL = min(set.TTL, rr.TTL)
	set.Data = append(set.Data, rdata)
	return true
}

// find returns the set with the given key and owner.
func (g *grouper) find(key setKey, owner dname.Name) *RRset {
	// From the end: the records of a set mostly stand together.
	for i := len(g.index) - 1; i >= 0; i-- {
		if g.index[i] == key && dname.Equal(g.resp.Sets[i].Owner, owner) {
			return &g.resp.Sets[i]
		}
	}
	return nil
}

func (g *grouper) attach(s *signature) {
	if set := g.find(s.key, s.owner); set != nil {
		set.Sigs = append(set.Sigs, s.rdata)
	}
}
