package main

import (
	"context"
	"fmt"
	"math"
)

const (
	// searchSteps bounds a search; a search around a good hint needs about five.
	searchSteps = 10
	// searchGrain is the ratio of the rates that a search ends between. Two quiet
	// runs differ by about as much.
	searchGrain = 1.03
)

// search finds the highest rate at which a server loses at most the tolerated
// share, then measures its latency at parts of that.
func (b *bench) search(ctx context.Context, t *target, r *Round) error {
	overload, err := b.measure(ctx, t, "overload", b.opt.duration, flow{rate: b.opt.maxRate})
	if err != nil {
		return err
	}
	r.add(overload)
	r.Values["overload"] = overload.Queries.GoodRate
	best, err := b.climb(ctx, t, r, max(overload.Queries.GoodRate, 100))
	if err != nil {
		return err
	}
	if best == nil {
		b.tell("  %s: no rate with at most %.2g%% loss", t.name, b.opt.maxLoss*100)
		r.server(overload)
		return nil
	}
	r.Limited = best.Queries.limited()
	b.best[t.name] = best.Queries.AskedRate
	r.Values["best"] = best.Queries.GoodRate
	r.server(best)
	for _, percent := range b.opt.loads {
		m, err := b.measure(ctx, t, fmt.Sprintf("load %g%%", percent), b.opt.duration, flow{rate: best.Queries.GoodRate * percent / 100})
		if err != nil {
			return err
		}
		r.add(m)
		r.latency(fmt.Sprintf("@%g", percent), &m.Queries.Latency)
	}
	return nil
}

// climb looks for the highest clean rate, starting from the last round's or else
// from guess. It returns nil when every rate loses too much.
func (b *bench) climb(ctx context.Context, t *target, r *Round, guess float64) (good *Measurement, err error) {
	rate, up, down := guess, 1.3, 0.8
	if hint := b.best[t.name]; hint > 0 {
		rate, up, down = hint, 1.08, 0.92
	}
	var low, high float64 // the highest clean rate and the lowest other one; 0: none yet
	limited := 0          // how often the generator could not keep up
	for range searchSteps {
		m, err := b.measure(ctx, t, "search", b.opt.duration, flow{rate: rate})
		if err != nil {
			return nil, err
		}
		r.add(m)
		if m.Queries.Loss <= b.opt.maxLoss {
			if good == nil || m.Queries.GoodRate > good.Queries.GoodRate {
				good = m
			}
			if m.Queries.limited() {
				// Once may have been a disturbance; twice, and the generator has no more.
				if limited++; limited == 2 {
					return good, nil
				}
				continue
			}
			low = max(low, rate)
		} else {
			high = rate
		}
		switch {
		case low > 0 && high > 0 && high < low*searchGrain:
			return good, nil
		case low > 0 && high > 0:
			rate = math.Sqrt(low * high)
		case low > 0:
			rate *= up
			up *= up // a stale hint must not cost all steps
		default:
			rate *= down
			down *= down
		}
	}
	return good, nil
}
