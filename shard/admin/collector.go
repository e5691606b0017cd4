package admin

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/resolver"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// collector reads the shards' counters when it is asked for them.
type collector struct {
	s         *Server
	whole     whole
	upstreams upstreamCounts
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("heimdall_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	list := c.s.o.Workers()
	snaps := make([]*shard.Snapshot, len(list))
	infos := make([][]resolver.UpstreamInfo, len(list))
	// A shard that does not answer has no values this time; the others have.
	_ = onAll(context.Background(), list, func(i int, w *worker.Worker, sh *shard.Shard) {
		snaps[i], infos[i] = w.History.Complete(sh.Snapshot()), sh.Engine().Resolver().Upstreams()
	})
	for i, w := range list {
		collectState(ch, w)
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
