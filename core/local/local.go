// Package local answers what need not be asked of anybody: special-use names (RFC 6761, 6303, 7686, 8375),
// the server's own particulars in class CHAOS (RFC 4892), and queries for all types (RFC 8482).
package local

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Options say what a Table answers.
type Options struct {
	SpecialNames bool         // the special-use names; false: they are like any other
	Zones        []dname.Name // configured elsewhere: at and below them no special name is answered
	MinimalANY   bool         // answer type ANY with one HINFO record (RFC 8482, section 4.2)

	// CHAOS TXT strings, cut to 255 octets. Those of empty ones are not found.
	Version  string // version.bind and version.server
	Identity string // id.server (RFC 4892)
	Hostname string // hostname.bind
}

// Table is the set of local answers. It does not change: safe for concurrent use.
type Table struct {
	tree    tree
	tails   tailSet // of the top-level labels in tree
	chaos   []chaosName
	special bool
	any     []byte // record in answer to type ANY; nil: like any other type
}

// anyTTL is the TTL in seconds of the HINFO record: long enough that nobody asks again at once, short enough
// that a change of mind spreads within the hour.
const anyTTL = 3600

// NewTable makes a Table. It keeps nothing of o.
func NewTable(o Options) *Table {
	t := &Table{tree: newTree(), chaos: newChaos(&o)}
	if t.special = o.SpecialNames; t.special {
		t.addSpecial()
		for _, z := range o.Zones {
			if t.inSpecial(z) {
				t.tree.node(z).cut = true
			}
		}
	}
	if o.MinimalANY {
		t.any = appendRecord(nil, wire.TypeHINFO, wire.ClassIN, anyTTL, appendStrings(nil, "RFC8482", ""))
	}
	return t
}

// Special tells whether special names are answered.
func (t *Table) Special() bool { return t.special }

// inSpecial tells whether name is a special name or lies below one.
func (t *Table) inSpecial(name dname.Name) bool {
	at := uint32(0)
	for labels := 1; labels <= name.Labels(); labels++ {
		if at = t.tree.child(at, name.Suffix(labels).Label()); at == 0 {
			return false
		}
		if t.tree.nodes[at].zone != nil {
			return true
		}
	}
	return false
}

// Lookup decides about a query that was parsed as QueryOK. It costs 10 ns for a name that does not end like
// a special one, and never allocates.
func (t *Table) Lookup(q *wire.Query) Verdict {
	switch q.Class {
	case wire.ClassCH:
		return t.lookupChaos(q)
	case wire.ClassIN:
	default:
		return Verdict{}
	}
	var v Verdict
	if t.tails.has(q.Name) {
		v = t.lookupSpecial(q)
	}
	if q.Type == wire.TypeANY && t.any != nil && v.rcode == wire.RcodeNoError {
		// RFC 8482, section 4: a name that is known not to exist stays NXDOMAIN.
		return Verdict{record: t.any, section: wire.Answer, authoritative: v.Found()}
	}
	return v
}
