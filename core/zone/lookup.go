package zone

import "heimdall/core/wire"

// outcome is what the search for a name comes to (RFC 1034, section 4.3.2, step 3).
type outcome uint8

const (
	absent   outcome = iota // the name does not exist
	matched                 // the name exists
	expanded                // a wildcard stands for the name (RFC 4592, section 3.3.1)
	referred                // the name is at or below a zone cut
	renamed                 // the name is below a DNAME (RFC 6672, section 3.2)
)

// found is the outcome of a search.
type found struct {
	how      outcome
	node     uint32 // of the name, the wildcard, the cut or the DNAME
	encloser uint32 // closest encloser, when absent or expanded
	// at is where in the name the cut, the DNAME's owner or the closest encloser begins; next where the
	// name one label longer does: the next closer name of RFC 5155, section 1.3.
	at, next int
}

// search looks for n[:rel], a name in lower case without the origin, whose node is exact; 0 if it has none. n is
// written to and restored.
func (z *Zone) search(n []byte, rel int, exact uint32, t wire.Type) found {
	if exact != 0 {
		switch f := z.flags(exact); {
		case f&flagBelow != 0:
		case f&flagCut != 0 && t != wire.TypeDS:
			return found{how: referred, node: exact}
		default:
			// RFC 4035, section 3.1.4.1: DS records at a cut are this zone's.
			return found{how: matched, node: exact}
		}
	}
	// From the apex down: what is below a cut or a DNAME is none of ours, and every name above one that
	// exists is a node.
	var starts [128]uint8 // where the labels begin
	labels := 0
	for i := 0; i < rel; i += 1 + int(n[i]) {
		starts[labels] = uint8(i)
		labels++
	}
	encloser, at := z.apex, rel
	for {
		f := z.flags(encloser)
		switch {
		case f&flagDNAME != 0 && labels > 0:
			return found{how: renamed, node: encloser, at: at}
		case f&flagCut != 0:
			return found{how: referred, node: encloser, at: at}
		}
		if labels == 0 {
			return found{how: matched, node: encloser}
		}
		labels--
		next := int(starts[labels])
		child := exact
		if labels > 0 {
			child = z.find(n[next:rel])
		}
		if child == 0 {
			return z.notFound(n, rel, found{encloser: encloser, at: at, next: next})
		}
		encloser, at = child, next
	}
}

// notFound looks for a wildcard below the closest encloser.
func (z *Zone) notFound(n []byte, rel int, f found) found {
	if z.flags(f.encloser)&flagWild != 0 {
		saved := asterisk(n, f.at)
		f.node = z.find(n[f.at-2 : rel])
		restore(n, f.at, saved)
		if f.node != 0 {
			f.how = expanded
		}
	}
	return f
}

// asterisk overwrites the two octets before n[at:] with the label *, for a name below which n has a label:
// these octets are free for a moment. It returns what was there.
func asterisk(n []byte, at int) [2]byte {
	saved := [2]byte{n[at-2], n[at-1]}
	n[at-2], n[at-1] = 1, '*'
	return saved
}

func restore(n []byte, at int, saved [2]byte) { n[at-2], n[at-1] = saved[0], saved[1] }
