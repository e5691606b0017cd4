package health

import (
	"context"
	"fmt"
	"sync"
	"time"

	"heimdall/core"
	"heimdall/core/dname"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard"
)

// recursion is what is known of how one shard resolves. Without a name to probe it is what clients' queries tell: a shard
// that other servers have answered since the last look is well, and so is one that had nothing to ask. Where nobody has
// answered yet, or many queries in a row got no answer, the shard asks for the root's servers until that question ends well:
// so a shard that gets no queries, because it is not well, finds out when that ends.
type recursion struct {
	asked    *question // under way, or the last one
	answered bool      // the last word was an answer, to a client's query or to ours
	silent   uint64    // queries to other servers since the last answer
	sent     uint64    // queries of the shard's resolver, at the last look
	solved   uint64    // questions that it found the answer to, then
}

// question is one probe of a shard.
type question struct {
	done  chan struct{} // closed when there is a reply
	once  sync.Once
	began time.Time
	got   reply // to be read when done is closed
}

// tooSilent is how many queries in a row may get no answer before the shard asks itself: a name whose servers are dead takes
// some dozen.
const tooSilent = 64

// askAgain is the pause between two questions of a shard that nobody answers.
const askAgain = 2 * time.Second

// root is asked for its NS records, the question that a resolver begins with (RFC 8109).
var root = dname.Root()

// look notes what has happened since the last look and asks what has to be asked, on the shard's thread. It returns the
// question that the verdict depends on; nil: none.
func (r *recursion) look(sh *shard.Shard, with *Settings, now time.Time) *question {
	probe := with.Probe
	stats := sh.Engine().Resolver().Stats()
	// Not the responses: refusals are some, and what does not validate.
	sent, solved := stats.Sent-r.sent, stats.Answered-r.solved
	if stats.Sent < r.sent || stats.Answered < r.solved { // a shard that was started again
		sent, solved = 0, 0
	}
	r.sent, r.solved = stats.Sent, stats.Answered
	if probe == nil && r.told(sent, solved) {
		return nil
	}
	if with.glance || r.asked != nil && r.asked.open() {
		return r.asked
	}
	if probe == nil && r.asked != nil && r.asked.got.fault() != "" && now.Sub(r.asked.began) < askAgain {
		return r.asked
	}
	r.asked = ask(sh, probe, now)
	return r.asked
}

// told takes what clients' queries have done since the last look, and tells whether that is enough for a verdict.
func (r *recursion) told(sent, solved uint64) bool {
	if r.asked != nil && (r.asked.open() || r.asked.failed()) {
		return false // one zone that still has servers does not make up for a root that has none
	}
	if sent > 0 && solved > 0 { // what leads from zone to zone here is solved without others
		r.answered, r.silent = true, 0
		return true
	}
	r.silent += sent
	return r.answered && r.silent <= tooSilent
}

// open tells whether there is no reply yet.
func (q *question) open() bool {
	select {
	case <-q.done:
		return false
	default:
		return true
	}
}

// failed tells whether a question that is not open could be asked, and was answered badly.
func (q *question) failed() bool { return q.got.why == "" && q.got.fault() != "" }

func (q *question) end(r reply) {
	q.once.Do(func() {
		q.got = r
		close(q.done)
	})
}

// ask begins a question, on the shard's thread.
func ask(sh *shard.Shard, probe dname.Name, now time.Time) *question {
	q := &question{done: make(chan struct{}), began: now}
	inquiry := core.Inquiry{Question: resolver.Question{Name: root, Type: wire.TypeNS, Class: wire.ClassIN}, Anew: true}
	if probe != nil {
		// With DO there is an OPT record, which says whether the answer is stale.
		inquiry = core.Inquiry{Question: resolver.Question{Name: probe, Type: wire.TypeA, Class: wire.ClassIN, DO: true}}
	}
	if !sh.Resolve(&inquiry, func(msg []byte, _ bool) core.Room {
		q.end(readReply(msg))
		return core.Taken
	}) {
		q.end(reply{why: "it has no room for a question"})
	}
	// A shard that ends in a panic answers nothing.
	go func() {
		select {
		case <-sh.Ended():
			q.end(reply{why: "it was started again"})
		case <-q.done:
		}
	}()
	return q
}

// verdict waits for the reply to a question until ctx ends, but for a glance.
func (r *recursion) verdict(ctx context.Context, q *question, with *Settings) (good, bad string) {
	switch {
	case q == nil && r.answered:
		return "other servers answer each shard", ""
	case q == nil:
		return "nobody has been asked yet", ""
	case !with.glance:
		select {
		case <-q.done:
		case <-ctx.Done():
		}
	}
	if q.open() {
		waited := time.Since(q.began)
		if with.glance && waited < with.Timeout {
			return "other servers have just been asked", ""
		}
		return "", fmt.Sprintf("other servers have not answered for %v", waited.Round(100*time.Millisecond))
	}
	if why := q.got.fault(); why != "" {
		return "", why + " to its own probe"
	}
	if !with.glance {
		r.answered, r.silent = true, 0
	}
	return "each shard resolves its probe", ""
}
