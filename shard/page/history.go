package page

import (
	"time"

	"heimdall/core/histogram"
)

// points is how many points an hour has.
const points = int(time.Hour / interval)

// point is what happened between two samples of the counters. Ratios and times that nothing is known of are -1.
type point struct {
	at                              int64   // seconds since 1970
	queries, kernel, servfail, drop float64 // a second
	hit                             float64 // of 1
	p50, p99, wait50, wait99        float64 // microseconds
}

// history is a ring of points, in fixed memory. The zero value has none. Points have numbers that follow each other: times
// may not, as clocks are set.
type history struct {
	ring [points]point
	next int // the place of the next point
	n    int
	last int64 // number of the last point; before the first one, that which it will follow
}

func (h *history) add(p point) {
	h.ring[h.next] = p
	h.next = (h.next + 1) % points
	h.n = min(h.n+1, points)
	h.last++
}

// columns are the points after one, the oldest first.
type columns struct {
	Last     int64     `json:"last"` // number of the last point there is
	At       []int64   `json:"at"`
	Queries  []float64 `json:"queries"`
	Kernel   []float64 `json:"kernel"`
	ServFail []float64 `json:"servfail"`
	Drops    []float64 `json:"drops"`
	Hit      []float64 `json:"hit"`
	P50      []float64 `json:"p50"`
	P99      []float64 `json:"p99"`
	Wait50   []float64 `json:"wait50"`
	Wait99   []float64 `json:"wait99"`
}

// after returns the points after that of a number; all, if there never was such a number.
func (h *history) after(since int64) *columns {
	c := &columns{Last: h.last}
	first := h.last - int64(h.n) + 1
	if since > h.last {
		since = 0
	}
	for i := range h.n {
		if first+int64(i) <= since {
			continue
		}
		p := &h.ring[(h.next-h.n+i+points)%points]
		c.At = append(c.At, p.at)
		c.Queries = append(c.Queries, p.queries)
		c.Kernel = append(c.Kernel, p.kernel)
		c.ServFail = append(c.ServFail, p.servfail)
		c.Drops = append(c.Drops, p.drop)
		c.Hit = append(c.Hit, p.hit)
		c.P50 = append(c.P50, p.p50)
		c.P99 = append(c.P99, p.p99)
		c.Wait50 = append(c.Wait50, p.wait50)
		c.Wait99 = append(c.Wait99, p.wait99)
	}
	return c
}

// pointOf makes a point of two samples.
func pointOf(before, after *Counts, at time.Time, took time.Duration) point {
	p := point{
		at:       at.Unix(),
		queries:  rate(before.Queries, after.Queries, took),
		kernel:   rate(before.Answered, after.Answered, took),
		servfail: rate(before.ServFails, after.ServFails, took),
		drop:     rate(before.Drops, after.Drops, took) + rate(before.Dropped, after.Dropped, took),
		hit:      ratio(before.Hits, after.Hits, before.Misses, after.Misses),
	}
	p.p50, p.p99 = quantiles(&before.AtOnce, &after.AtOnce)
	p.wait50, p.wait99 = quantiles(&before.Waited, &after.Waited)
	return p
}

// shardRates are what a shard did between two samples.
type shardRates struct {
	ID       int     `json:"id"`
	CPU      int     `json:"cpu"`
	State    string  `json:"state"`
	Queries  float64 `json:"queries"` // a second
	Hit      float64 `json:"hit"`
	P99      float64 `json:"p99"`
	Busy     float64 `json:"busy"` // of its CPU, of 1
	InFlight int     `json:"inFlight"`
	Limit    int     `json:"limit"`
	Cache    int     `json:"cache"`
	Memory   int     `json:"memory"`
	Restarts uint64  `json:"restarts"`
}

func ratesOf(before, after *Counts, took time.Duration) []shardRates {
	list := make([]shardRates, 0, len(after.Shards))
	for i := range after.Shards {
		now := &after.Shards[i]
		r := shardRates{
			ID: now.ID, CPU: now.CPU, State: now.State, Hit: -1, P99: -1,
			InFlight: now.Waiting, Limit: now.WaitingLimit, Cache: now.Cache, Memory: now.Memory, Restarts: now.Restarts,
		}
		for j := range before.Shards {
			if was := &before.Shards[j]; was.ID == now.ID && was.AtOnce != nil && now.AtOnce != nil {
				r.Queries = rate(was.Queries, now.Queries, took)
				r.Hit = ratio(was.Hits, now.Hits, was.Misses, now.Misses)
				r.Busy = rate(was.Used, now.Used, took) / 1e9
				_, r.P99 = quantiles(was.AtOnce, now.AtOnce)
			}
		}
		list = append(list, r)
	}
	return list
}

// rate is by how much a counter rises in a second. One that falls has begun again.
func rate(before, after uint64, took time.Duration) float64 {
	if after < before || took <= 0 {
		return 0
	}
	return float64(after-before) / took.Seconds()
}

func ratio(hits, hitsNow, misses, missesNow uint64) float64 {
	if hitsNow < hits || missesNow < misses || hitsNow-hits+missesNow-misses == 0 {
		return -1
	}
	return float64(hitsNow-hits) / float64(hitsNow-hits+missesNow-misses)
}

// quantiles returns the median and the 99th percentile of what was recorded between two samples, in microseconds.
func quantiles(before, after *histogram.Histogram) (p50, p99 float64) {
	if after.Count() <= before.Count() {
		return -1, -1
	}
	d := after.Since(before)
	return float64(d.Quantile(0.5)) / 1e3, float64(d.Quantile(0.99)) / 1e3
}
