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

// prepare lists the answers that were found, but those that the kernel holds already. prefetch is as in answer.
func (v *visitor) prepare(prefetch uint32, holds func(*ebpf.Answer) bool) {
	v.list, v.ttls = v.list[:0], v.ttls[:0]
	for i := range v.found {
		if a, ok := v.found[i].answer(v, prefetch); ok && !holds(&a) {
			v.list = append(v.list, a)
		}
	}
}

// maxHotQuery is the length in octets of the longest query that has a hot answer.
const maxHotQuery = wire.HeaderLen + ebpf.MaxName + 4

// hotQuery builds, in buf, the query of a client that neither wants recursion nor knows of EDNS and AD.
func hotQuery(buf []byte, name dname.Name, t wire.Type) wire.Query {
	msg := wire.AppendQuery(buf, 0, 0, name, t, wire.ClassIN)
	return wire.Query{Msg: msg, Name: msg[wire.HeaderLen : len(msg)-4], Type: t, Class: wire.ClassIN, End: len(msg), UDPSize: wire.MinUDPSize}
}
