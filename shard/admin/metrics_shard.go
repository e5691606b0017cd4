package admin

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/shard"
	"heimdall/shard/worker"
)

// What each shard counts.
var (
	queriesDesc     = desc("queries_total", "Queries received.", "shard")
	streamsDesc     = desc("tcp_queries_total", "Of the queries received, those that came over TCP.", "shard")
	answersDesc     = desc("answers_total", "Queries by what answered them; the hit ratio is (cache + stale) / (cache + stale + upstream).", "shard", "source")
	rcodesDesc      = desc("responses_total", "Responses by RCODE.", "shard", "rcode")
	truncatedDesc   = desc("truncated_total", "Responses with TC.", "shard")
	dropsDesc       = desc("drops_total", "Messages that got no response, by reason.", "shard", "reason")
	limitedDesc     = desc("limited_total", "Misses that were not resolved because of a limit, by the limit.", "shard", "limit")
	cpuDesc         = desc("shard_cpu_seconds_total", "CPU time of the shard's thread; divided by queries_total, that of a query.", "shard")
	evictDesc       = desc("cache_evictions_total", "Entries evicted from the answer cache, by reason.", "shard", "reason")
	restartsDesc    = desc("shard_restarts_total", "Restarts of a shard after a panic.", "shard")
	upstreamDesc    = desc("upstream_queries_total", "Queries sent to other servers.", "shard")
	retransmitsDesc = desc("upstream_retransmits_total", "Of the queries to other servers, those that repeat one that got no answer.", "shard")
	resolvedDesc    = desc("resolutions_total", "Questions that were resolved, by what came of it.", "shard", "result")
	verdictsDesc    = desc("validations_total", "Answers to clients that were validated, by what came of it.", "shard", "status")
	ignoredDesc     = desc("upstream_ignored_total", "Datagrams from other servers that were no answer to a query, by reason.", "shard", "reason")
	hinderedDesc    = desc("upstream_hindered_total", "Queries to other servers that no port was left for, or that reached nobody as ICMP says, by reason.", "shard", "reason")
	serviceDesc     = desc("service_seconds", "Time from receiving queries over UDP to having sent their responses, of those that waited for nobody.", "shard")
)

// What each shard has at present.
var (
	upDesc            = desc("shard_up", "1 while the shard serves, and answers who asks for its counters.", "shard")
	inFlightDesc      = desc("in_flight", "Clients that wait for other servers.", "shard")
	inFlightLimitDesc = desc("in_flight_limit", "Clients that may wait for other servers, at most.", "shard")
	entriesDesc       = desc("cache_entries", "Entries in the answer cache.", "shard")
	bytesDesc         = desc("cache_bytes", "Memory used by the answer cache, in bytes.", "shard")
	capacityDesc      = desc("cache_capacity_bytes", "Memory that the answer cache may use, in bytes.", "shard")
	tcpDesc           = desc("tcp_connections", "Open TCP connections of clients.", "shard")
	tcpLimitDesc      = desc("tcp_connections_limit", "TCP connections of clients that may be open, at most.", "shard")
	portsDesc         = desc("upstream_ports", "Source ports that belong to one query to another server.", "shard")
	portsLimitDesc    = desc("upstream_ports_limit", "Source ports that may belong to one query to another server, at most.", "shard")
)

func collectState(ch chan<- prometheus.Metric, w *worker.Worker, answers bool) {
	up := 0.0
	if answers && w.State() == worker.Running {
		up = 1
	}
	ch <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up, strconv.Itoa(w.ID()))
}

func collectCounters(ch chan<- prometheus.Metric, number int, s *shard.Snapshot) {
	id := strconv.Itoa(number)
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{id}, labels...)...)
	}
	each := func(d *prometheus.Desc, counts map[string]uint64) {
		for label, n := range counts {
			counter(d, n, label)
		}
	}
	counter(queriesDesc, s.Engine.Queries)
	counter(streamsDesc, s.Stats.Streams)
	each(answersDesc, sources(s))
	each(rcodesDesc, rcodes(s))
	counter(truncatedDesc, s.Engine.Truncated)
	each(dropsDesc, drops(s))
	each(limitedDesc, limited(s))
	each(ignoredDesc, ignored(s))
	each(evictDesc, evictions(s))
	each(verdictsDesc, verdicts(s))
	each(resolvedDesc, map[string]uint64{"answered": s.Resolver.Answered, "failed": s.Resolver.Failed})
	counter(recordedDesc, s.Stats.Recorded)
	counter(unrecordedDesc, s.Stats.Unrecorded, "ring")
	counter(upstreamDesc, s.Resolver.Sent)
	counter(retransmitsDesc, s.Resolver.Retransmits)
	each(hinderedDesc, map[string]uint64{"ports_used_up": s.Outbound.PortsRefused, "unreachable": s.Outbound.Unreachable})
	ch <- prometheus.MustNewConstMetric(cpuDesc, prometheus.CounterValue, float64(s.CPU)/1e9, id)
	service := &s.Latency[shard.AtOnceUDP]
	ch <- prometheus.MustNewConstSummary(serviceDesc, service.Count(), float64(service.Sum())/1e9, map[float64]float64{
		0.5:   float64(service.Quantile(0.5)) / 1e9,
		0.99:  float64(service.Quantile(0.99)) / 1e9,
		0.999: float64(service.Quantile(0.999)) / 1e9,
	}, id)
}

func collectGauges(ch chan<- prometheus.Metric, w *worker.Worker, s *shard.Snapshot) {
	gauge := func(d *prometheus.Desc, v int) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), strconv.Itoa(w.ID()))
	}
	gauge(inFlightDesc, s.Waiting)
	gauge(inFlightLimitDesc, w.Shard.Waiters)
	gauge(entriesDesc, s.Cache.Store.Entries)
	gauge(bytesDesc, s.Cache.Store.Bytes)
	gauge(capacityDesc, s.Cache.Store.Capacity)
	gauge(tcpDesc, s.TCP.Open)
	gauge(tcpLimitDesc, w.Shard.TCP.MaxConns)
	gauge(portsDesc, s.Outbound.Ports)
	gauge(portsLimitDesc, w.Shard.Outbound.Ports)
}
