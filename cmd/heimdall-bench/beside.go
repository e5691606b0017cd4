package main

import (
	"context"
	"fmt"
)

// beside measures the latency of cached answers, first alone and then while the server resolves names that it does
// not know, at a fixed rate. Each round has its own part of these, and all servers get the same.
func (b *bench) beside(ctx context.Context, t *target, r *Round) error {
	hot := b.gen.cached()
	first, end := b.opt.part(r.Round, b.gen.names.count()-hot)
	if need := uint64(b.opt.attackRate * b.opt.duration.Seconds()); end-first < need {
		return fmt.Errorf("ask %s: %d names are too few for %d rounds of %d, and %d cached ones", t.name, b.gen.names.count(), b.opt.rounds, need, hot)
	}
	cached := flow{rate: b.opt.rate}
	alone, err := b.measure(ctx, t, "alone", b.opt.duration, cached)
	if err != nil {
		return err
	}
	r.add(alone)
	m, err := b.measure(ctx, t, "beside", b.opt.duration, cached,
		flow{rate: b.opt.attackRate, attack: coldNames, keys: onlyOnce{hot + first, hot + end}})
	if err != nil {
		return err
	}
	r.add(m)
	r.Limited = alone.Queries.limited() || m.Queries.limited() || m.Attack.limited()
	r.Values["good"] = 1 - m.Queries.Loss
	r.Values["resolved"], r.Values["failed"] = m.Attack.GoodRate, m.Attack.Loss
	r.latency("@alone", &alone.Queries.Latency)
	r.latency("@beside", &m.Queries.Latency)
	if alone.Queries.Latency.P99 > 0 {
		r.Values["p99_ratio"] = m.Queries.Latency.P99 / alone.Queries.Latency.P99
	}
	r.server(m)
	return nil
}
