package supervisor

import (
	"context"
	"time"

	"heimdall/core/cache"
	"heimdall/core/config"
	"heimdall/core/wire"
	"heimdall/ebpf"
	"heimdall/shard"
)

const (
	// visitEvery is the time between two looks into a shard's cache. A look takes up to 0.5 ms of the shard's
	// time and covers some 3,000 small answers: this costs at most 2.5 % and finds 100,000 of them within a second.
	visitEvery = 20 * time.Millisecond
	// visitTimeout bounds the wait for a shard that is busy or restarting.
	visitTimeout = time.Second
	// endpointsEvery is the time between two looks at the addresses that wildcards stand for.
	endpointsEvery = 10 * time.Second
	// leastTTL in seconds is what an answer must have left to be worth publishing.
	leastTTL = 2
)

// publish moves what is asked for most from the shards' caches into the kernel, until ctx ends.
func (x *xdp) publish(ctx context.Context) {
	defer close(x.stopped)
	visitors := make([]visitor, len(x.s.workers))
	tick := time.NewTicker(visitEvery)
	defer tick.Stop()
	endpointsAt := time.Now().Add(endpointsEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if now.After(endpointsAt) {
				endpointsAt = now.Add(endpointsEvery)
				if err := x.setEndpoints(); err != nil {
					x.s.log.Warn("the XDP program does not follow the addresses of this machine", "error", err)
				}
			}
		}
		x.s.mu.Lock()
		c := x.s.cfg
		x.s.mu.Unlock()
		if !c.XDP.AnswerCache || !c.Recursion.Enabled {
			continue
		}
		for i, w := range x.s.workers {
			x.visit(ctx, c, &visitors[i], w)
		}
	}
}

// visit looks at the next part of a shard's cache and publishes what it finds.
func (x *xdp) visit(ctx context.Context, c *config.Config, v *visitor, w *worker) {
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	// Read before the cache is: answers that are flushed in between are not given.
	generation := x.program.Generation()
	v.found, v.octets = v.found[:0], v.octets[:0]
	v.minHits = uint32(c.XDP.AnswerMinHits)
	err := w.do(ctx, func(sh *shard.Shard) { v.look(sh.Engine().Answers(), uint32(w.now()/1e9)) })
	if err != nil {
		v.cursor = cache.Cursor{} // the shard may have ended, and the next one begins with an empty cache
		return
	}
	v.list = v.list[:0]
	for i := range v.found {
		a, ok := v.found[i].answer(v, uint32(c.Cache.Prefetch))
		if ok && !x.program.Holds(&a) {
			v.list = append(v.list, a)
		}
	}
	if len(v.list) == 0 {
		return
	}
	if _, err := x.program.Publish(generation, v.now, v.list); err != nil {
		x.s.log.Warn("answers are not published to the kernel", "error", err)
	}
}

// visitor walks through one shard's cache. Its memory serves again and again.
type visitor struct {
	cursor  cache.Cursor
	minHits uint32
	now     uint32 // second of the look
	found   []nominee
	octets  []byte // of the nominees' responses
	list    []ebpf.Answer
}

// nominee is an answer that the shard is asked for often.
type nominee struct {
	at, end  int // its response in visitor.octets
	question int // length of header and question
	typ      wire.Type
	do, cd   bool
	ad       bool
	ttl      uint32 // seconds left
	origTTL  uint32 // seconds
}

// look takes one step through the cache. It runs on the shard's thread and does no more there than copy.
func (v *visitor) look(a *cache.Answers, now uint32) {
	v.now = now
	if a.Flushing() {
		return // what is being flushed is still in the memory
	}
	done := a.Visit(&v.cursor, now, func(k *cache.Key, h *cache.Hit) {
		if h.Hits < v.minHits || h.TTL < leastTTL || h.EDE != wire.EDEOther || k.Class != wire.ClassIN || k.View != 0 ||
			len(k.Name) > ebpf.MaxName || h.Rcode != wire.RcodeNoError && h.Rcode != wire.RcodeNXDomain {
			return
		}
		var buf [wire.HeaderLen + ebpf.MaxName + 4]byte
		q := wire.Query{Name: k.Name, Type: k.Type, Class: k.Class}
		q.Msg = wire.AppendQuery(buf[:0], 0, 0, k.Name, k.Type, k.Class)
		q.End = len(q.Msg)
		if h.Len(&q) > q.End+ebpf.MaxRecords {
			return
		}
		at := len(v.octets)
		// The response as to a client without EDNS that neither wants recursion nor knows of AD.
		v.octets = a.AppendReply(v.octets, h, &q, wire.FlagQR|wire.FlagRA, 0)
		v.found = append(v.found, nominee{
			at: at, end: len(v.octets), question: q.End, typ: k.Type, do: k.DO, cd: k.CD, ad: h.AD, ttl: h.TTL, origTTL: h.OrigTTL,
		})
	})
	if done {
		v.cursor = cache.Cursor{}
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
	if prefetch > 0 {
		// The first second in which TTL*100 <= OrigTTL*prefetch, as the Engine has it.
		a.Refresh = a.Expires - uint32(uint64(n.origTTL)*uint64(prefetch)/100)
	}
	var r wire.Reader
	if !r.Reset(msg) {
		return a, false
	}
	for rr := (wire.RR{}); ; {
		if _, more := r.Next(&rr); !more {
			break
		}
		a.TTLs = append(a.TTLs, uint16(rr.Data-6-n.question))
	}
	return a, !r.Err() && a.Fits()
}
