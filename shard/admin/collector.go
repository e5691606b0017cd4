package admin

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/shard"
)

// collector reads the shards' counters when it is asked for them.
type collector struct{ s *Server }

var (
	queriesDesc  = desc("queries_total", "Queries received.", "shard")
	answersDesc  = desc("answers_total", "Queries by what answered them.", "shard", "source")
	rcodesDesc   = desc("responses_total", "Responses by RCODE.", "shard", "rcode")
	dropsDesc    = desc("drops_total", "Messages that got no response, by reason.", "shard", "reason")
	limitedDesc  = desc("limited_total", "Misses that were not resolved because of a limit, by the limit.", "shard", "limit")
	inFlightDesc = desc("in_flight", "Clients that wait for other servers.", "shard")
	entriesDesc  = desc("cache_entries", "Entries in the answer cache.", "shard")
	bytesDesc    = desc("cache_bytes", "Memory used by the answer cache, in bytes.", "shard")
	evictDesc    = desc("cache_evictions_total", "Entries evicted from the answer cache, by reason.", "shard", "reason")
	restartsDesc = desc("shard_restarts_total", "Restarts of a shard after a panic.", "shard")
	tcpDesc      = desc("tcp_connections", "Open TCP connections of clients.", "shard")
	upstreamDesc = desc("upstream_queries_total", "Queries sent to other servers.", "shard")
	ignoredDesc  = desc("upstream_ignored_total", "Datagrams from other servers that were no answer to a query, by reason.", "shard", "reason")
	portsDesc    = desc("upstream_ports", "Source ports that belong to one query to another server.", "shard")
	hinderedDesc = desc("upstream_hindered_total", "Queries to other servers that no port was left for, or that reached nobody as ICMP says, by reason.", "shard", "reason")
	linesDesc    = desc("log_lines_total", "Lines of the daemon's log, written or waiting for it.")
	lostDesc     = desc("log_lines_dropped_total", "Lines of the daemon's log that were not written: others of their kind had just been (flood), their reader was slow (queue), or did not take them (reader).", "reason")
	serviceDesc  = desc("service_seconds", "Time from receiving a query to having sent its response, misses aside.", "shard")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("heimdall_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	c.s.collectXDP(ch)
	c.s.collectLog(ch)
	list := c.s.o.Workers()
	// A shard that does not answer has no values this time; the others have.
	snaps, _ := snapshots(context.Background(), list)
	for i, w := range list {
		if s := snaps[i]; s != nil {
			collectCounters(ch, w.ID(), s)
			collectGauges(ch, w.ID(), s)
		}
	}
	// Counters do not fall when there are fewer shards.
	for id, past := range c.s.o.Histories.Ended(list, snaps) {
		collectCounters(ch, id, past)
	}
	for id, h := range c.s.o.Histories.All() {
		ch <- prometheus.MustNewConstMetric(restartsDesc, prometheus.CounterValue, float64(h.Restarts()), strconv.Itoa(id))
	}
}

// collectLog sends what became of the lines of the log.
func (s *Server) collectLog(ch chan<- prometheus.Metric) {
	n := s.o.Journal.Counts()
	ch <- prometheus.MustNewConstMetric(linesDesc, prometheus.CounterValue, float64(n.Lines))
	for reason, lost := range map[string]uint64{"flood": n.Held, "queue": n.Dropped, "reader": n.Unwritten} {
		ch <- prometheus.MustNewConstMetric(lostDesc, prometheus.CounterValue, float64(lost), reason)
	}
}

func collectCounters(ch chan<- prometheus.Metric, number int, s *shard.Snapshot) {
	id := strconv.Itoa(number)
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{id}, labels...)...)
	}
	counter(queriesDesc, s.Engine.Queries)
	for source, n := range sources(s) {
		counter(answersDesc, n, source)
	}
	for rcode, n := range rcodes(s) {
		counter(rcodesDesc, n, rcode)
	}
	for reason, n := range drops(s) {
		counter(dropsDesc, n, reason)
	}
	for limit, n := range limited(s) {
		counter(limitedDesc, n, limit)
	}
	for reason, n := range ignored(s) {
		counter(ignoredDesc, n, reason)
	}
	for reason, n := range evictions(s) {
		counter(evictDesc, n, reason)
	}
	counter(upstreamDesc, s.Resolver.Sent)
	counter(hinderedDesc, s.Outbound.PortsRefused, "ports_used_up")
	counter(hinderedDesc, s.Outbound.Unreachable, "unreachable")
	ch <- prometheus.MustNewConstSummary(serviceDesc, s.Service.Count(), float64(s.Service.Mean())*float64(s.Service.Count())/1e9,
		map[float64]float64{
			0.5:   float64(s.Service.Quantile(0.5)) / 1e9,
			0.99:  float64(s.Service.Quantile(0.99)) / 1e9,
			0.999: float64(s.Service.Quantile(0.999)) / 1e9,
		}, id)
}

func collectGauges(ch chan<- prometheus.Metric, number int, s *shard.Snapshot) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, strconv.Itoa(number))
	}
	gauge(inFlightDesc, float64(s.Waiting))
	gauge(entriesDesc, float64(s.Cache.Store.Entries))
	gauge(bytesDesc, float64(s.Cache.Store.Bytes))
	gauge(tcpDesc, float64(s.TCP.Open))
	gauge(portsDesc, float64(s.Outbound.Ports))
}
