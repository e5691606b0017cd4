package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/control"
	"heimdall/shard"
)

// What the daemon tells as a whole.
var (
	buildDesc    = desc("build_info", "1, with the version of the daemon.", "version")
	warningsDesc = desc("warnings", "What keeps the daemon from its best; heimdallctl status says what.")
	reloadDesc   = desc("config_reload_refused", "1 while the last reload of the configuration was refused, and the file is not what is in force.")
	zonesDesc    = desc("zones", "Zones that are served here, by state.", "state")
	zoneMemDesc  = desc("zone_memory_bytes", "Memory of all zones, in bytes.")
	jobsDesc     = desc("validation_jobs_waiting", "Jobs of validation that wait for a thread.")
	memoDesc     = desc("validation_memo_total", "Signatures to check, by whether they were known already.", "result")
	linesDesc    = desc("log_lines_total", "Lines of the daemon's log, written or waiting for it.")
	lostDesc     = desc("log_lines_dropped_total", "Lines of the daemon's log that were not written: others of their kind had just been (flood), their reader was slow (queue), or did not take them (reader).", "reason")
	responseDesc = desc("response_seconds", "Time from receiving a query to its response. Tier 1 has the answer, tier 2 asks other servers; "+
		"what the kernel answers is not timed.", "tier", "transport")
	typesDesc = desc("query_types_total", "Queries by the type asked for.", "type")
)

// latencyLabels are the tier and the transport of each place in shard.Latency.
var latencyLabels = [...][2]string{
	shard.AtOnceUDP: {"1", "udp"}, shard.AtOnceTCP: {"1", "tcp"}, shard.WaitedUDP: {"2", "udp"}, shard.WaitedTCP: {"2", "tcp"},
}

func collectWhole(ch chan<- prometheus.Metric, s *sums) {
	for i, labels := range latencyLabels {
		ch <- newDurations(responseDesc, &s.latency[i], labels[:]...)
	}
	for name, n := range types(&s.types) {
		ch <- prometheus.MustNewConstMetric(typesDesc, prometheus.CounterValue, float64(n), name)
	}
}

func (s *Server) collectDaemon(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(buildDesc, 1, s.o.Version)
	gauge(warningsDesc, float64(len(s.o.Warnings())+len(s.o.Zones.Failures())))
	refused := 0.0
	if s.o.Refused() {
		refused = 1
	}
	gauge(reloadDesc, refused)
	states := map[control.ZoneState]int{control.ZoneServing: 0, control.ZoneLoading: 0, control.ZoneFailed: 0}
	memory := uint64(0)
	for _, z := range s.o.Zones.List() {
		states[z.State]++
		memory += z.MemoryBytes
	}
	for state, n := range states {
		gauge(zonesDesc, float64(n), string(state))
	}
	gauge(zoneMemDesc, float64(memory))
	v := s.o.Verifier.Stats()
	gauge(jobsDesc, float64(v.Waiting))
	ch <- prometheus.MustNewConstMetric(memoDesc, prometheus.CounterValue, float64(v.MemoHits), "known")
	ch <- prometheus.MustNewConstMetric(memoDesc, prometheus.CounterValue, float64(v.MemoMisses), "new")
}

// collectLog sends what became of the lines of the log.
func (s *Server) collectLog(ch chan<- prometheus.Metric) {
	n := s.o.Journal.Counts()
	ch <- prometheus.MustNewConstMetric(linesDesc, prometheus.CounterValue, float64(n.Lines))
	for reason, lost := range map[string]uint64{"flood": n.Held, "queue": n.Dropped, "reader": n.Unwritten} {
		ch <- prometheus.MustNewConstMetric(lostDesc, prometheus.CounterValue, float64(lost), reason)
	}
}
