package admin

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/resolver"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// collector reads the shards' counters when it is asked for them.
type collector struct {
	s         *Server
	gathering sync.Mutex // held from before the snapshots until their counts are taken over: no older ones come later
	whole     whole
	upstreams upstreamCounts
}

// gatherTime is how long shards have to answer. It leaves most of what a collector waits for, 10 seconds as a rule, to those
// that gather at the same time, and to the verdict of health.
const gatherTime = 2 * time.Second

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("heimdall_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	infos := c.collectShards(ch)
	for id, h := range c.s.o.Histories.All() {
		ch <- prometheus.MustNewConstMetric(restartsDesc, prometheus.CounterValue, float64(h.Restarts()), strconv.Itoa(id))
	}
	c.s.collectXDP(ch)
	c.s.collectSnapshot(ch)
	c.s.collectDaemon(ch)
	c.s.collectLog(ch)
	c.s.collectHealth(ch)
	c.s.collectTap(ch)
	collectWhole(ch, c.whole.sums())
	c.upstreams.collect(ch, mergeUpstreams(infos), c.s.o.Settings().MetricsUpstreams)
}

// collectShards sends what the shards count. It returns what they know of servers.
func (c *collector) collectShards(ch chan<- prometheus.Metric) [][]resolver.UpstreamInfo {
	c.gathering.Lock()
	defer c.gathering.Unlock()
	list := c.s.o.Workers()
	snaps := make([]*shard.Snapshot, len(list))
	infos := make([][]resolver.UpstreamInfo, len(list))
	// A shard that does not answer has no values this time; the others have.
	ctx, cancel := context.WithTimeout(context.Background(), gatherTime)
	defer cancel()
	_ = onAll(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) {
		snaps[i], infos[i] = w.History.Complete(sh.Snapshot()), sh.Engine().Resolver().Upstreams()
	})
	for i, w := range list {
		collectState(ch, w, snaps[i] != nil)
		if s := snaps[i]; s != nil {
			c.whole.note(w.ID(), s)
			collectCounters(ch, w.ID(), s)
			collectGauges(ch, w, s)
			c.upstreams.note(w.ID(), infos[i])
		}
	}
	// Counters do not fall when there are fewer shards.
	for id, past := range c.s.o.Histories.Ended(list, snaps) {
		c.whole.note(id, past)
		collectCounters(ch, id, past)
	}
	return infos
}
