package hot

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
	"heimdall/ebpf"
)

// preload is how far the zones have been published since the last flush.
type preload struct {
	generation uint32    // of the hot answers
	set        *zone.Set // that it goes through
	zone       int       // index in the set
	second     bool      // pass through the zone
	begun      bool      // the pass
	at         zone.Cursor
	room       int // answers that may be published before others have to make room
	done       bool
}

// lookUpNext looks up the next questions of the zones. Queries with DO get answers of their own: they come second,
// or first if the zone is signed. It runs where the set's memory stays as it is: on the thread of a shard that has the
// set, or before the shards run.
func (v *visitor) lookUpNext(set *zone.Set, now uint32) {
	p := &v.preload
	if set != p.set {
		*p = preload{generation: p.generation, set: set, room: p.room}
	}
	if p.set == nil || p.zone == len(p.set.Zones()) {
		p.done = true
		return
	}
	z := p.set.Zones()[p.zone]
	more := p.begun || z.Names() <= p.room
	if more {
		p.begun = true
		do := p.second != z.Signed()
		more = z.Questions(&p.at, questionsPerVisit, func(owner dname.Name, t wire.Type) {
			if len(owner) > ebpf.MaxName {
				return
			}
			at := len(v.names)
			v.names = append(v.names, owner...)
			v.asked = append(v.asked, ebpf.Question{Name: v.names[at:len(v.names):len(v.names)], Type: uint16(t), DO: do})
		})
		v.find(now, func(n *ebpf.Question, q *wire.Query) bool { return v.lookUpZone(set, n, q) })
	}
	if !more {
		p.begun, p.at = false, zone.Cursor{}
		if p.second {
			p.zone++
		}
		p.second = !p.second
	}
}
