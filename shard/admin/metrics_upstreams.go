package admin

import (
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/control"
	"heimdall/core/resolver"
)

var (
	serversDesc  = desc("upstream_servers", "Servers of forward and stub zones, by state.", "state")
	serverUpDesc = desc("upstream_server_up", "1 while the server answers, 0 while it does not, for each of the first servers (admin.metrics_upstreams).", "server")
	serverRTT    = desc("upstream_server_rtt_seconds", "Smoothed round-trip time to the server, of the best shard.", "server")
	serverAsked  = desc("upstream_server_queries_total", "Queries to the server.", "server")
	serverSilent = desc("upstream_server_timeouts_total", "Queries to the server that were not answered in time.", "server")
)

// upstreamCounts adds up what the shards count of each server. A shard that ends takes its counts of servers with it, so
// here is what has been seen of them: sums that do not fall. Safe for concurrent use.
type upstreamCounts struct {
	mu    sync.Mutex
	total map[string]serverCounts // by address
	last  map[seenBy]serverCounts
}

type seenBy struct {
	shard   int
	address string
}

type serverCounts struct{ queries, timeouts uint64 }

// note takes over what a shard has counted.
func (u *upstreamCounts) note(shard int, infos []resolver.UpstreamInfo) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.total == nil {
		u.total, u.last = map[string]serverCounts{}, map[seenBy]serverCounts{}
	}
	for _, i := range infos {
		by := seenBy{shard, i.Server.String()}
		now, before := serverCounts{i.Sent, i.Timeouts}, u.last[by]
		if now.queries < before.queries || now.timeouts < before.timeouts {
			before = serverCounts{} // another shard has begun under this number
		}
		t := u.total[by.address]
		u.total[by.address] = serverCounts{t.queries + now.queries - before.queries, t.timeouts + now.timeouts - before.timeouts}
		u.last[by] = now
	}
}

// collect sends the states of the servers that are configured now, and so many servers one by one.
func (u *upstreamCounts) collect(ch chan<- prometheus.Metric, now *control.Upstreams, most int) {
	servers := map[string]control.Upstream{}
	for _, g := range now.Groups {
		for _, s := range g.Servers {
			servers[s.Address] = s
		}
	}
	states := map[control.UpstreamState]int{control.UpstreamUp: 0, control.UpstreamDown: 0, control.UpstreamUnknown: 0}
	for _, s := range servers {
		states[s.State]++
	}
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(serversDesc, prometheus.GaugeValue, float64(n), string(state))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	// What is configured no more is forgotten: reloads must not fill the memory. A shard that did not answer may know it.
	if len(servers) > 0 {
		maps.DeleteFunc(u.total, func(address string, _ serverCounts) bool { return servers[address].Address == "" })
		maps.DeleteFunc(u.last, func(by seenBy, _ serverCounts) bool { return servers[by.address].Address == "" })
	}
	addresses := slices.Sorted(maps.Keys(servers))
	for _, address := range addresses[:min(most, len(addresses))] {
		s, counts, up := servers[address], u.total[address], 0.0
		if s.State != control.UpstreamDown {
			up = 1
		}
		ch <- prometheus.MustNewConstMetric(serverUpDesc, prometheus.GaugeValue, up, address)
		ch <- prometheus.MustNewConstMetric(serverRTT, prometheus.GaugeValue, s.SRTTUs/1e6, address)
		ch <- prometheus.MustNewConstMetric(serverAsked, prometheus.CounterValue, float64(counts.queries), address)
		ch <- prometheus.MustNewConstMetric(serverSilent, prometheus.CounterValue, float64(counts.timeouts), address)
	}
}
