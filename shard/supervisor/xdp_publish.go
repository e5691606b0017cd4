package supervisor

import (
	"context"
	"time"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/config"
	"heimdall/core/dname"
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
	// nomineesPerTick bounds the questions that a shard looks up in its zones between two visits: 0.5 ms of its time.
	nomineesPerTick = 1024
	// zoneTTL in seconds is how long an answer out of a zone stays in the kernel. A change of the zone flushes it.
	zoneTTL = 3600
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
	turn := uint(0)
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
		if !c.XDP.AnswerCache {
			continue
		}
		for i, w := range x.s.workers {
			if c.Recursion.Enabled {
				x.visit(ctx, c, &visitors[i], w)
			}
		}
		if len(c.Zone) > 0 {
			// All shards serve the same zones: they are asked in turn.
			at := int(turn % uint(len(x.s.workers)))
			turn++
			x.serve(ctx, c, &visitors[at], x.s.workers[at])
		}
	}
}

// visit looks at the next part of a shard's cache and publishes what it finds.
func (x *xdp) visit(ctx context.Context, c *config.Config, v *visitor, w *worker) {
	v.minHits = uint32(c.XDP.AnswerMinHits)
	if !x.consult(ctx, c, v, w, v.look) {
		v.cursor = cache.Cursor{} // the shard may have ended, and the next one begins with an empty cache
	}
}

// serve publishes answers out of the zones to what was asked for in vain in the kernel.
func (x *xdp) serve(ctx context.Context, c *config.Config, v *visitor, w *worker) {
	var err error
	if v.asked, err = x.program.Nominees(v.asked[:0], nomineesPerTick); err != nil {
		x.s.log.Warn("the XDP program's nominees cannot be read", "error", err)
	}
	if len(v.asked) > 0 {
		x.consult(ctx, c, v, w, v.lookUp)
	}
}

// consult has a shard collect answers, and publishes them. It is false if the shard does not do so.
func (x *xdp) consult(ctx context.Context, c *config.Config, v *visitor, w *worker, collect func(*core.Engine, uint32)) bool {
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	// Read before the data is: answers that are flushed in between are not given.
	generation := x.program.Generation()
	v.found, v.octets, v.list = v.found[:0], v.octets[:0], v.list[:0]
	if err := w.do(ctx, func(sh *shard.Shard) { collect(sh.Engine(), uint32(w.now()/1e9)) }); err != nil {
		return false
	}
	for i := range v.found {
		a, ok := v.found[i].answer(v, uint32(c.Cache.Prefetch))
		if ok && !x.program.Holds(&a) {
			v.list = append(v.list, a)
		}
	}
	if len(v.list) == 0 {
		return true
	}
	if _, err := x.program.Publish(generation, v.now, v.list); err != nil {
		x.s.log.Warn("answers are not published to the kernel", "error", err)
	}
	return true
}

// visitor walks through one shard's cache. Its memory serves again and again.
type visitor struct {
	cursor  cache.Cursor
	minHits uint32
	now     uint32          // second of the look
	asked   []ebpf.Question // to look up in the zones
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
	zone     bool   // out of a zone that is served here: for everybody, and its TTLs do not age
	ttl      uint32 // seconds left
	origTTL  uint32 // seconds
}

// look takes one step through the cache. It runs on the shard's thread and does no more there than copy.
func (v *visitor) look(e *core.Engine, now uint32) {
	v.now = now
	a := e.Answers()
	if a.Flushing() {
		return // what is being flushed is still in the memory
	}
	done := a.Visit(&v.cursor, now, func(k *cache.Key, h *cache.Hit) {
		if h.Hits < v.minHits || h.TTL < leastTTL || h.EDE != wire.EDEOther || k.Class != wire.ClassIN || k.View != 0 ||
			len(k.Name) > ebpf.MaxName || h.Rcode != wire.RcodeNoError && h.Rcode != wire.RcodeNXDomain {
			return
		}
		var buf [maxHotQuery]byte
		q := hotQuery(buf[:0], k.Name, k.Type)
		if h.Len(&q) > q.End+ebpf.MaxRecords || e.Local.Lookup(&q).Found() {
			return
		}
		if e.Zones != nil {
			// A zone may have come after the entry. Tier 1 looks there before.
			if ref := e.Zones.Locate(&q); ref.Zone() != nil {
				return
			}
		}
		at := len(v.octets)
		v.octets = a.AppendReply(v.octets, h, &q, wire.FlagQR, 0)
		v.found = append(v.found, nominee{
			at: at, end: len(v.octets), question: q.End, typ: k.Type, do: k.DO, cd: k.CD, ad: h.AD, ttl: h.TTL, origTTL: h.OrigTTL,
		})
	})
	if done {
		v.cursor = cache.Cursor{}
	}
}

// lookUp looks for what was asked in the zones. It runs on the shard's thread. NXDOMAIN is left out: an attack
// with random names would fill the table with it.
func (v *visitor) lookUp(e *core.Engine, now uint32) {
	v.now = now
	for i := range v.asked {
		n := &v.asked[i]
		var buf [maxHotQuery]byte
		q := hotQuery(buf[:0], n.Name, wire.Type(n.Type))
		q.DO = n.DO
		if e.Zones == nil {
			return
		}
		at := len(v.octets)
		msg, rcode, ok := e.Zones.AppendReply(v.octets, &q, wire.MaxLen, wire.FlagQR)
		if !ok || rcode != wire.RcodeNoError || len(msg)-at > q.End+ebpf.MaxRecords {
			continue
		}
		v.octets = msg
		v.found = append(v.found, nominee{
			at: at, end: len(msg), question: q.End, typ: q.Type, do: n.DO, cd: n.CD, zone: true, ttl: zoneTTL,
		})
	}
}

// maxHotQuery is the length in octets of the longest query that has a hot answer.
const maxHotQuery = wire.HeaderLen + ebpf.MaxName + 4

// hotQuery builds, in buf, the query of a client that neither wants recursion nor knows of EDNS and AD.
func hotQuery(buf []byte, name dname.Name, t wire.Type) wire.Query {
	msg := wire.AppendQuery(buf, 0, 0, name, t, wire.ClassIN)
	return wire.Query{Msg: msg, Name: msg[wire.HeaderLen : len(msg)-4], Type: t, Class: wire.ClassIN, End: len(msg), UDPSize: wire.MinUDPSize}
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
	for rr := (wire.RR{}); ; {
		if _, more := r.Next(&rr); !more {
			break
		}
		a.TTLs = append(a.TTLs, uint16(rr.Data-6-n.question))
	}
	return a, !r.Err() && a.Fits()
}
