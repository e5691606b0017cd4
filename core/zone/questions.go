package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Cursor is a position in the Questions of a Zone. The zero value is the beginning.
type Cursor struct{ at int }

// Questions calls f with the names and types of the zone's authoritative RRsets, NSEC, NSEC3 and RRSIG excepted,
// in no particular order, and returns whether there are more. It stops behind the node with which it has called f
// limit times, and goes on from there with the next call. owner is valid during f. There may be no zone cut, DNAME
// or wildcard in a question, nor what is below the first two: these are the names that have answers of their own.
func (z *Zone) Questions(c *Cursor, limit int, f func(owner dname.Name, t wire.Type)) (more bool) {
	var buf [dname.MaxLen]byte
	for at := max(c.at, z.nodes); at < len(z.mem); {
		ref := uint32(at / refUnit)
		node := z.node(ref)
		at += len(node)
		c.at = at
		if z.flags(ref)&(flagCut|flagDNAME|flagBelow|flagHash) != 0 && ref != z.apex {
			continue
		}
		owner := dname.Name(z.appendName(buf[:0], node))
		if owner[0] == 1 && owner[1] == '*' {
			continue
		}
		for rest := nodeRecords(node); len(rest) >= recordLen; {
			t := recordType(rest)
			size, _ := nextSet(rest)
			rest = rest[size:]
			if t == wire.TypeNSEC || t == wire.TypeRRSIG {
				continue
			}
			f(owner, t)
			limit--
		}
		if limit <= 0 {
			return at < len(z.mem)
		}
	}
	return false
}
