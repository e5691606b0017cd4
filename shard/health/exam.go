package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heimdall/core"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/core/zone"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// subject is one shard from look to look.
type subject struct {
	busy      chan struct{} // closed when the command of an earlier look has returned; nil: it has
	recursion recursion
}

// exam is what one look has found out about one shard. An empty text is nothing to complain of.
type exam struct {
	id           int
	absent       bool   // it comes or goes while others serve, which is no fault
	stuck        string // why its loop does not turn
	zones        string
	badZone      string
	local        string
	badLocal     string
	recursion    string
	badRecursion string
}

// examine looks at all shards at once, until ctx ends.
func (c *Checker) examine(ctx context.Context, s *Settings, apexes []dname.Name) []*exam {
	list := c.o.Workers()
	here := make(map[*worker.Worker]*subject, len(list))
	found := make([]chan *exam, len(list))
	for i, w := range list {
		of := c.subjects[w]
		if of == nil {
			of = new(subject)
		}
		here[w] = of
		found[i] = make(chan *exam, 1)
		if of.stillBusy() {
			found[i] <- &exam{id: w.ID(), stuck: "it does not come back from the command of an earlier look"}
			continue
		}
		done := make(chan struct{})
		of.busy = done
		go func() {
			e := of.examine(ctx, w, s, apexes)
			close(done) // first: the next look may begin at once
			found[i] <- e
		}()
	}
	c.subjects = here
	// One wait for all: several shards that are stuck do not hold up the verdict longer than one.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeout+grace)
	defer cancel()
	all := make([]*exam, len(list))
	for i, w := range list {
		if all[i] = await(late, found[i]); all[i] == nil {
			// It has begun the command and does not come back: Worker.Do waits for the end.
			all[i] = &exam{id: w.ID(), stuck: "it does not come back from a command"}
		}
	}
	return all
}

// await returns the exam that is found until late ends, and nil if there is none then.
func await(late context.Context, found <-chan *exam) *exam {
	select {
	case e := <-found:
		return e
	case <-late.Done():
	}
	select { // That may have been over while another shard was waited for.
	case e := <-found:
		return e
	default:
		return nil
	}
}

// grace is how much later than ctx the exam of a shard may end that has not begun it.
const grace = 250 * time.Millisecond

func (s *subject) stillBusy() bool {
	if s.busy == nil {
		return false
	}
	select {
	case <-s.busy:
		s.busy = nil
		return false
	default:
		return true
	}
}

// examine looks at one shard.
func (s *subject) examine(ctx context.Context, w *worker.Worker, with *Settings, apexes []dname.Name) *exam {
	e := &exam{id: w.ID()}
	var pending *question
	err := w.Do(ctx, func(sh *shard.Shard) {
		if w.Ending() {
			e.absent = true
			return
		}
		e.askZones(sh, apexes)
		e.askLocal(sh, with.Local)
		if with.Recursion {
			pending = s.recursion.look(sh, with, time.Now())
		}
	})
	switch {
	case errors.Is(err, worker.ErrAbsent):
		e.absent = true
	case errors.Is(err, worker.ErrRestarting):
		e.stuck = "it is being started again"
	case err != nil:
		e.stuck = "its loop does not turn"
	case with.Recursion && !e.absent:
		e.recursion, e.badRecursion = s.recursion.verdict(ctx, pending, with)
	}
	return e
}

// askZones asks for the SOA of each apex that the shard has, on the shard's thread. While a change is under way it may not have
// taken over a zone yet: that would be no fault, and the question for a private apex would leave for other servers.
func (e *exam) askZones(sh *shard.Shard, apexes []dname.Name) {
	asked := 0
	for _, apex := range apexes {
		if !has(sh.Engine().Zones, apex) {
			continue
		}
		asked++
		got := atOnce(sh, resolver.Question{Name: apex, Type: wire.TypeSOA, Class: wire.ClassIN})
		if why := got.fault(); why != "" {
			e.badZone = fmt.Sprintf("for the SOA of %s %s", apex, why)
			return
		}
	}
	e.zones = fmt.Sprintf("%d asked of each shard", asked)
}

// has tells whether a shard's zones, nil for none, have a version of the one with the apex.
func has(zones *zone.Set, apex dname.Name) bool {
	if zones == nil {
		return false
	}
	z := zones.Find(apex, wire.TypeSOA)
	return z != nil && z.Ready() && dname.Equal(z.Origin(), apex)
}

// localhost is answered from the table of local names where that has special names.
var localhost, _ = dname.ParseText(nil, "localhost.")

// server is a name of class CH that is answered here whatever the configuration says.
var server, _ = dname.ParseText(nil, "version.server.")

// askLocal asks for a local name, on the shard's thread.
func (e *exam) askLocal(sh *shard.Shard, special bool) {
	q := resolver.Question{Name: server, Type: wire.TypeTXT, Class: wire.ClassCH}
	if special {
		q = resolver.Question{Name: localhost, Type: wire.TypeA, Class: wire.ClassIN}
	}
	got := atOnce(sh, q)
	if !special && got.rcode == wire.RcodeRefused {
		got.rcode = wire.RcodeNoError // it has no such text to tell
	}
	if why := got.fault(); why != "" {
		e.badLocal = fmt.Sprintf("for %s %s", q.Name, why)
		return
	}
	e.local = fmt.Sprintf("%s from each shard", q.Name)
}

// atOnce asks a shard for what it has to answer without asking others, on its thread.
func atOnce(sh *shard.Shard, q resolver.Question) reply {
	got := reply{why: "it asks others"}
	if !sh.Resolve(&core.Inquiry{Question: q}, func(msg []byte, _ bool) core.Room {
		got = readReply(msg)
		return core.Taken
	}) {
		got.why = "it has no room for a question"
	}
	return got
}

// loops is the check whether all shards turn.
func loops(list []*exam) control.HealthCheck {
	turning, total := 0, 0
	found := ""
	for _, e := range list {
		if e.absent {
			continue
		}
		total++
		if e.stuck == "" {
			turning++
		} else if found == "" {
			found = fmt.Sprintf("shard %d: %s", e.id, e.stuck)
		}
	}
	text := fmt.Sprintf("%d of %d shards turn", turning, total)
	if found != "" {
		text += "; " + found
	}
	return control.HealthCheck{Check: "loops", OK: turning == total && total > 0, Found: text}
}

// answers is the check whether all shards that turn have answered. get returns what was found of one, well or not.
func answers(list []*exam, name string, get func(*exam) (good, bad string)) control.HealthCheck {
	check := control.HealthCheck{Check: name, Found: "no shard turns"}
	for _, e := range list {
		if e.absent || e.stuck != "" {
			continue
		}
		good, bad := get(e)
		if bad != "" {
			return control.HealthCheck{Check: name, Found: fmt.Sprintf("shard %d: %s", e.id, bad)}
		}
		check.OK, check.Found = true, good
	}
	return check
}
