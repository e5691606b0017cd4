package zone

import (
	"bytes"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Set is all zones of a server. It does not change: safe for concurrent use. The zero value has no zones.
type Set struct {
	zones  []*Zone
	served int      // zones[:served] are the zones; the others mark the names of elsewhere
	slots  []uint32 // open addressing by the hash of the origin: index in zones plus one; 0: none
	mask   uint32
	depths [2]uint64 // bit n: an origin has n labels
}

// NewSet makes a Set of zones with different origins; of two with the same the latter counts. The names at and below
// those of elsewhere are no zone's of the Set, unless a zone begins there or in between: the configuration says who
// else is asked for them.
func NewSet(zones []*Zone, elsewhere ...dname.Name) *Set {
	s := &Set{}
	size := 8
	for size < 2*(len(zones)+len(elsewhere)) {
		size *= 2
	}
	s.slots, s.mask = make([]uint32, size), uint32(size-1)
	for _, z := range zones {
		if z == nil {
			continue
		}
		if i, found := s.slot(z.origin); found {
			s.zones[s.slots[i]-1] = z
		} else {
			s.add(i, z)
		}
	}
	s.served = len(s.zones)
	for _, name := range elsewhere {
		mark := &Zone{origin: dname.AppendLower(nil, name)}
		if i, found := s.slot(mark.origin); !found && s.Find(name, wire.TypeA) != nil {
			s.add(i, mark)
		}
	}
	return s
}

// slot returns where a zone with the given origin is, or would be.
func (s *Set) slot(origin dname.Name) (i uint32, found bool) {
	for i = hashOf(0, origin) & s.mask; s.slots[i] != 0; i = (i + 1) & s.mask {
		if bytes.Equal(s.zones[s.slots[i]-1].origin, origin) {
			return i, true
		}
	}
	return i, false
}

func (s *Set) add(i uint32, z *Zone) {
	depth := z.origin.Labels()
	s.depths[depth/64] |= 1 << (depth % 64)
	s.zones = append(s.zones, z)
	s.slots[i] = uint32(len(s.zones))
}

// Zones returns the zones. The caller must not write to the slice.
func (s *Set) Zones() []*Zone { return s.zones[:s.served] }

// SameNames tells whether s and o cover the same names, whatever they have of them. Either may be nil.
func (s *Set) SameNames(o *Set) bool {
	if s == nil || o == nil {
		return (s == nil || s.served == 0) && (o == nil || o.served == 0)
	}
	if s.served != o.served || len(s.zones) != len(o.zones) {
		return false
	}
	for i, z := range s.zones {
		if j, found := o.slot(z.origin); !found || (i < s.served) != (int(o.slots[j]) <= o.served) {
			return false
		}
	}
	return true
}

// Find returns the zone that answers for a name and type, the one whose origin is the longest suffix of the
// name; nil if there is none. DS records at an apex belong to the zone above, if that is here as well (RFC
// 4035, section 3.1.4.1).
func (s *Set) Find(n dname.Name, t wire.Type) *Zone {
	var buf [dname.MaxLen]byte
	z, _ := s.enclosing(dname.AppendLower(buf[:0], n), t)
	return z
}

// get returns the zone with the given origin in lower case.
func (s *Set) get(origin []byte) *Zone {
	if len(s.slots) == 0 {
		return nil
	}
	for i := hashOf(0, origin) & s.mask; s.slots[i] != 0; i = (i + 1) & s.mask {
		if z := s.zones[s.slots[i]-1]; bytes.Equal(z.origin, origin) {
			return z
		}
	}
	return nil
}

// enclosing is Find for a name in lower case. rel is the length of what precedes the origin in it.
func (s *Set) enclosing(n []byte, t wire.Type) (z *Zone, rel int) {
	at := 0
	for labels := dname.Name(n).Labels(); ; labels-- {
		if s.depths[labels/64]>>(labels%64)&1 != 0 {
			if found := s.get(n[at:]); found != nil {
				switch elsewhere := found.elsewhere(); {
				case (t != wire.TypeDS || at > 0) && elsewhere:
					return nil, 0
				case t != wire.TypeDS || at > 0:
					return found, at
				case !elsewhere:
					z = found // unless there is a zone above
				}
			}
		}
		if labels == 0 {
			return z, 0
		}
		at += 1 + int(n[at])
	}
}
