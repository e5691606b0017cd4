package hot

import (
	"time"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
	"heimdall/ebpf"
)

const (
	// zoneTTL in seconds is how long an answer out of a zone stays in the kernel. A change of the zone flushes it.
	zoneTTL = 3600
	// leastTTL in seconds is what an answer must have left to be worth publishing.
	leastTTL = 2
)

// visitor collects a shard's answers for the kernel. Its memory serves again and again.
type visitor struct {
	turn    int             // the shard to begin with
	ripe    int             // nominees that have waited since the last tick at least
	hurried time.Time       // until then many new questions are feared
	now     uint32          // second of the visit
	asked   []ebpf.Question // to look up; what was found is taken out
	names   []byte          // of the questions
	found   []nominee
	octets  []byte // of the nominees' responses
	list    []ebpf.Answer
	ttls    []uint16 // of the list
	preload preload
	recurse bool // there is recursion
}

// nominee is an answer to be published.
type nominee struct {
	at, end  int // its response in visitor.octets
	question int // length of header and question
	typ      wire.Type
	do, cd   bool
	ad       bool
	zone     bool   // out of a zone that is served here: for everybody, and its TTLs do not age
	ttl      uint32 // seconds left
	origTTL  uint32 // seconds
}

// lookUp looks for what was asked in the zones and in the cache. It runs on the shard's thread, and does no more
// there than copy.
func (v *visitor) lookUp(e *core.Engine, now uint32) {
	v.find(now, func(n *ebpf.Question, q *wire.Query) bool {
		return v.lookUpZone(e.Zones, n, q) || v.lookUpCache(e, n, q)
	})
}

// find calls look for each question, and takes out those for which it is true.
func (v *visitor) find(now uint32, look func(*ebpf.Question, *wire.Query) bool) {
	v.now = now
	left := v.asked[:0]
	for i := range v.asked {
		n := &v.asked[i]
		var buf [maxHotQuery]byte
		q := hotQuery(buf[:0], n.Name, wire.Type(n.Type))
		q.DO = n.DO
		if !look(n, &q) {
			left = append(left, *n)
		}
	}
	v.asked = left
}

// lookUpZone returns whether the name belongs to a zone that is served here. Then the cache has nothing to say.
func (v *visitor) lookUpZone(set *zone.Set, n *ebpf.Question, q *wire.Query) bool {
	if set == nil {
		return false
	}
	at := len(v.octets)
	ref := set.Locate(q)
	msg, rcode, ok := set.AppendReplyAt(&ref, v.octets, q, wire.MaxLen, wire.FlagQR)
	// Where an alias leads away, it depends on the client whether the zone's part is all of the answer.
	if !ok || ref.Away() && v.recurse || rcode != wire.RcodeNoError && rcode != wire.RcodeNXDomain || len(msg)-at > q.End+ebpf.MaxRecords {
		return ok
	}
	v.octets = msg
	v.found = append(v.found, nominee{
		at: at, end: len(msg), question: q.End, typ: q.Type, do: n.DO, cd: n.CD, zone: true, ttl: zoneTTL,
	})
	return true
}

// lookUpCache returns whether the cache has a fresh answer.
func (v *visitor) lookUpCache(e *core.Engine, n *ebpf.Question, q *wire.Query) bool {
	a := e.Answers()
	k := cache.Key{Name: q.Name, Type: q.Type, Class: wire.ClassIN, DO: n.DO, CD: n.CD}
	var h cache.Hit
	// What is being flushed is still in the memory.
	if !e.Recursion || a.Flushing() || a.Peek(a.Hash(&k), &k, v.now, &h) != cache.Fresh {
		return false
	}
	if h.TTL < leastTTL || h.EDE != wire.EDEOther || h.Rcode != wire.RcodeNoError && h.Rcode != wire.RcodeNXDomain ||
		h.Len(q) > q.End+ebpf.MaxRecords || e.Local.Lookup(q).Found() {
		return true
	}
	at := len(v.octets)
	v.octets = a.AppendReply(v.octets, &h, q, wire.FlagQR, 0)
	v.found = append(v.found, nominee{
		at: at, end: len(v.octets), question: q.End, typ: q.Type, do: n.DO, cd: n.CD, ad: h.AD, ttl: h.TTL, origTTL: h.OrigTTL,
	})
	return true
}

// forget makes room for what the next visit finds.
func (v *visitor) forget() { v.found, v.octets = v.found[:0], v.octets[:0] }

// next prepares for the next questions of the zones, with room for so many answers.
func (v *visitor) next(room int) {
	v.forget()
	v.asked, v.names = v.asked[:0], v.names[:0]
	v.preload.room = room
}

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

// maxHotQuery is the length in octets of the longest query that has a hot answer.
const maxHotQuery = wire.HeaderLen + ebpf.MaxName + 4

// hotQuery builds, in buf, the query of a client that neither wants recursion nor knows of EDNS and AD.
func hotQuery(buf []byte, name dname.Name, t wire.Type) wire.Query {
	msg := wire.AppendQuery(buf, 0, 0, name, t, wire.ClassIN)
	return wire.Query{Msg: msg, Name: msg[wire.HeaderLen : len(msg)-4], Type: t, Class: wire.ClassIN, End: len(msg), UDPSize: wire.MinUDPSize}
}

// prepare lists the answers that were found, but those that the kernel holds already. prefetch is as in answer.
func (v *visitor) prepare(prefetch uint32, holds func(*ebpf.Answer) bool) {
	v.list, v.ttls = v.list[:0], v.ttls[:0]
	for i := range v.found {
		if a, ok := v.found[i].answer(v, prefetch); ok && !holds(&a) {
			v.list = append(v.list, a)
		}
	}
}

// answer takes a response apart for the kernel. prefetch is the percentage of the TTL at which the shard wants
// to be asked again.
func (n *nominee) answer(v *visitor, prefetch uint32) (a ebpf.Answer, ok bool) {
	msg := v.octets[n.at:n.end]
	a = ebpf.Answer{
		Name: msg[wire.HeaderLen : n.question-4], Type: uint16(n.typ), DO: n.do, CD: n.cd, Flags: wire.Flags(msg), AD: n.ad,
		Counts:  [3]uint16{uint16(wire.Count(msg, wire.Answer)), uint16(wire.Count(msg, wire.Authority)), uint16(wire.Count(msg, wire.Additional))},
		Records: msg[n.question:], Stored: v.now, Expires: v.now + n.ttl,
	}
	if n.zone {
		a.Open = true
		return a, a.Fits()
	}
	if prefetch > 0 {
		// The first second in which TTL*100 <= OrigTTL*prefetch, as the Engine has it.
		a.Refresh = a.Expires - uint32(uint64(n.origTTL)*uint64(prefetch)/100)
	}
	var r wire.Reader
	if !r.Reset(msg) {
		return a, false
	}
	first := len(v.ttls)
	for rr := (wire.RR{}); ; {
		if _, more := r.Next(&rr); !more {
			break
		}
		v.ttls = append(v.ttls, uint16(rr.Data-6-n.question))
	}
	a.TTLs = v.ttls[first:len(v.ttls):len(v.ttls)]
	return a, !r.Err() && a.Fits()
}
