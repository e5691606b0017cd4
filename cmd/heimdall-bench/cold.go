package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

const (
	// coldPatience is how long a resolution may take at least: with a server that does not answer, resolvers need
	// more than a second to find another.
	coldPatience = 5 * time.Second
	// nap is how long the generator sleeps when nothing has come: a resolver and the servers that it asks may need
	// the CPU, and what is measured takes longer.
	nap = 50 * time.Microsecond
)

// part returns which names are asked for in a round: each has its own, so that none is asked for twice. Servers
// get the same in the same round.
func (o *options) part(round int, names uint64) (first, end uint64) {
	n := names / uint64(o.rounds)
	return uint64(round-1) * n, uint64(round) * n
}

// cold measures how fast a resolver resolves what it does not know, and at what cost.
func (b *bench) cold(ctx context.Context, t *target, r *Round) error {
	first, end := b.opt.part(r.Round, b.gen.names.count())
	if first == end {
		return fmt.Errorf("ask %s: %d names are too few for %d rounds", t.name, b.gen.names.count(), b.opt.rounds)
	}
	m := &Measurement{Name: "cold"}
	err := b.account(t, m, func() (err error) {
		m.Queries, err = b.gen.cold(ctx, t.addr, first, end)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask %s: %w", t.name, err)
	}
	r.add(m)
	r.Values["resolved"] = m.Queries.GoodRate
	r.Values["loss"] = 1 - float64(m.Queries.Good)/float64(end-first)
	r.latency("", &m.Queries.Latency)
	r.server(m)
	return nil
}

// cold asks for the names from first up to end, each once, and returns what became of that.
func (g *generator) cold(ctx context.Context, server netip.AddrPort, first, end uint64) (*Result, error) {
	patience := max(g.opt.timeout, coldPatience)
	threads, err := g.threads(server, 1, patience, flow{})
	if err != nil {
		return nil, err
	}
	t := threads[0]
	defer t.close()
	names := &onlyOnce{first, end}
	t.streams[0].draw = names
	began, took := g.clock(), int64(0)
	err = g.onThreads(threads, func(t *thread) { took = t.cold(ctx, names, g.opt.window) - began })
	if err != nil {
		return nil, err
	}
	r, err := t.streams[0].result(float64(max(took, 1))/1e9, 0)
	return r, errors.Join(err, ctx.Err())
}

// cold keeps window queries of the first stream open until it has drawn all names and waits for none. It returns
// when the last good reply came.
func (t *thread) cold(ctx context.Context, names *onlyOnce, window int) (last int64) {
	s := t.streams[0]
	now := t.clock()
	for check := now + expireEvery; (names.first < names.end || s.open > 0) && ctx.Err() == nil; now = t.clock() {
		if s.open < window {
			s.send(now, window-s.open)
		}
		before, good := s.replies, s.by[right]
		s.receive(t.clock, now)
		if s.by[right] > good {
			last = t.clock()
		}
		if s.replies == before {
			time.Sleep(nap)
		}
		if now > check {
			s.expire(now - s.timeout)
			check = now + expireEvery
		}
	}
	return last
}
