package hot

import (
	"context"
	"time"

	"heimdall/core"
)

const (
	// publishEvery is the time between two looks at what the kernel was asked for.
	publishEvery = 20 * time.Millisecond
	// visitTimeout bounds the wait for a shard that is busy or restarting.
	visitTimeout = time.Second
	// followEvery is the time between two looks at the addresses that wildcards stand for, and between two tries to
	// change the kernel's table of clients.
	followEvery = 10 * time.Second
	// questionsPerVisit bounds what a shard looks up in one go: about 0.2 ms of its time.
	questionsPerVisit = 512
	// visitsPerTick bounds the visits between two ticks, so that publishing takes a fifth of a shard's time at
	// most. 400,000 answers a second can be published that way.
	visitsPerTick = 16
	// eagerHits is the most hits that a question needs to be published while there is much room and many new questions
	// come: a random name of a flood comes once. While few come, one hit is enough.
	eagerHits = 2
	// calmNominees is how many new questions between two ticks count as few: to look them up takes a shard a twentieth
	// of its time at most. After more, eagerHits holds for the time of hurry.
	calmNominees = 2048
	hurry        = time.Second
	// primeFor bounds how long the shards' start waits while answers are published.
	primeFor = time.Second
)

// prime publishes answers out of the zones before the program is attached and the shards run, so that the kernel has them
// for the first query. If that takes too long, publish does the rest.
func (t *Tier) prime() {
	if t.o.Entries == 0 {
		return
	}
	v := &t.visitor
	v.preload = preload{generation: t.program.Generation()}
	for until := time.Now().Add(primeFor); !v.preload.done && time.Now().Before(until); {
		v.next(t.program.Room())
		v.lookUpNext(t.o.Zones, t.second())
		t.put(v.preload.generation)
	}
}

// second is the present one by the shards' clock.
func (t *Tier) second() uint32 { return uint32(time.Since(t.o.Epoch) / time.Second) }

// publish moves what is asked for most into the kernel, until ctx ends.
func (t *Tier) publish(ctx context.Context) {
	defer close(t.stopped)
	on, every := t.o.Entries > 0, publishEvery
	if !on {
		every = followEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	followAt := time.Now().Add(followEvery)
	told := uint16(0) // to the program
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if !on || now.After(followAt) {
				followAt = now.Add(followEvery)
				t.follow()
			}
		}
		if !on {
			continue
		}
		if hits := minHits(t.o.MinHits, t.program.Room(), t.o.Entries, time.Now().Before(t.visitor.hurried)); hits != told {
			if err := t.program.SetMinHits(hits); err != nil {
				t.o.Log.Warn("the XDP program does not learn when to tell of a question", "error", err)
			} else {
				told = hits
			}
		}
		visits := t.promote(ctx)
		t.preload(ctx, visitsPerTick-visits)
	}
}

// follow has the program know what has changed, or could not be told, since the last time.
func (t *Tier) follow() {
	if err := t.setEndpoints(); err != nil {
		t.o.Log.Warn("the XDP program does not follow the addresses of this machine", "error", err)
	}
	if err := t.program.FollowInterfaces(); err != nil {
		t.o.Log.Warn("the XDP program does not follow the interfaces of this machine", "error", err)
	}
	if err := t.program.RetryClients(); err != nil {
		t.o.Log.Error("the XDP program has not taken the lists of clients yet", "error", err)
	}
}

// minHits returns how often a question has to be asked to be published: while a quarter of the entries is free less
// often than is configured. When a load comes that leaves the shards no time, each further query for it is lost.
func minHits(configured, room, entries int, hurried bool) uint16 {
	switch {
	case room <= entries/4:
		return uint16(configured)
	case hurried:
		return uint16(min(configured, eagerHits))
	}
	return 1
}

// promote publishes the answers to what the kernel was asked for often, as far as the shards have them. It returns
// how many visits it took. What the kernel told of since the last time has to wait for the next, because the shards
// may still be asking for it.
func (t *Tier) promote(ctx context.Context) (visits int) {
	v := &t.visitor
	for visits < visitsPerTick && v.ripe > 0 {
		var err error
		if v.asked, v.names, err = t.program.Nominees(v.asked[:0], v.names, min(v.ripe, questionsPerVisit)); err != nil {
			t.o.Log.Warn("what the XDP program was asked for cannot be read", "error", err)
		}
		if len(v.asked) == 0 {
			break
		}
		v.ripe -= len(v.asked)
		// Any of the shards may have an answer in its cache.
		shards := t.o.Shards.Count()
		for n := range shards {
			t.consult(ctx, (v.turn+n)%shards, v.lookUp)
			visits++
			if len(v.asked) == 0 {
				break
			}
		}
		v.turn++
	}
	if v.ripe = t.program.Waiting(); v.ripe > calmNominees {
		v.hurried = time.Now().Add(hurry)
	}
	return visits
}

// preload publishes answers out of the zones before anybody asks, while there is room for a whole zone: a flood
// that comes first and leaves the shards no time to answer is then met by the kernel.
func (t *Tier) preload(ctx context.Context, visits int) {
	v := &t.visitor
	if g := t.program.Generation(); g != v.preload.generation {
		v.preload = preload{generation: g}
	}
	for ; visits > 0 && !v.preload.done; visits-- {
		v.next(t.program.Room())
		// Always the same shard: those of another NUMA node have a copy of the zones of their own.
		if !t.consult(ctx, 0, func(e *core.Engine, now uint32) { v.lookUpNext(e.Zones, now) }) {
			return
		}
	}
}

// consult has a shard collect answers, and publishes them. It is false if the shard does not do so.
func (t *Tier) consult(ctx context.Context, shard int, collect func(*core.Engine, uint32)) bool {
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	// Read before the data is: answers that are flushed in between are not given.
	generation := t.program.Generation()
	t.visitor.forget()
	if err := t.o.Shards.Visit(ctx, shard, func(e *core.Engine) { collect(e, t.second()) }); err != nil {
		return false
	}
	t.put(generation)
	return true
}

// put publishes what the visitor has found, of a generation.
func (t *Tier) put(generation uint32) {
	v := &t.visitor
	v.prepare(t.rules.Load().Prefetch, t.program.Holds)
	if len(v.list) == 0 {
		return
	}
	if _, err := t.program.Publish(generation, v.now, v.list); err != nil {
		t.o.Log.Warn("answers are not published to the kernel", "error", err)
	}
}
