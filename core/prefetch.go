package core

import (
	"heimdall/core/dname"
	"heimdall/core/resolver"
	"heimdall/core/wire"
)

// maxRefreshes bounds the entries that wait to be refreshed. There is no room for others: their next hit asks again.
const maxRefreshes = 64

// refresh is the question of an entry that is to be refreshed.
type refresh struct {
	typ    wire.Type
	class  wire.Class
	do, cd bool
	length uint8
	name   [dname.MaxLen]byte
}

// mark remembers that the entry with a hash was refreshed in a second. Marks are kept in a direct-mapped
// table: one that is lost costs one query.
type mark struct {
	hash uint64
	sec  uint32
}

// maybePrefetch has a hot entry that is about to expire refreshed, so that no client has to wait for it. Misses begins with
// that, after the responses of this batch.
func (e *Engine) maybePrefetch(r *Request) {
	h := &r.hit
	if e.Prefetch == 0 || uint64(h.TTL)*100 > uint64(h.OrigTTL)*uint64(e.Prefetch) || h.Hits < e.PrefetchHits || h.Held || e.draining {
		return
	}
	seen := &e.prefetched[r.hash%uint64(len(e.prefetched))]
	if *seen == (mark{r.hash, e.nowSec}) || e.queue.Stats().Parked > 0 || len(e.refreshes) == maxRefreshes {
		return // asked for a moment ago; or others have to wait already
	}
	*seen = mark{r.hash, e.nowSec}
	k := &r.key
	f := refresh{typ: k.Type, class: k.Class, do: k.DO, cd: k.CD}
	f.length = uint8(copy(f.name[:], k.Name))
	e.refreshes = append(e.refreshes, f)
}

// refresh begins with the refresh that was asked for last.
func (e *Engine) refresh() {
	f := &e.refreshes[len(e.refreshes)-1]
	e.refreshes = e.refreshes[:len(e.refreshes)-1]
	q := Inquiry{Refresh: true, Question: resolver.Question{Name: f.name[:f.length], Type: f.typ, Class: f.class, DO: f.do, CD: f.cd}}
	e.Resolve(e.now, &q, nobody)
}
