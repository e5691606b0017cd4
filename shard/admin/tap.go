package admin

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/control"
	"heimdall/shard"
	"heimdall/shard/tap"
)

var (
	recordedDesc   = desc("recorded_total", "Records of queries and responses for the query log and dnstap.", "shard")
	unrecordedDesc = desc("unrecorded_total", "Records, lines or messages that were lost because what takes them was full: the shard's ring (ring), the way to the query log (query_log) or to dnstap (dnstap).", "shard", "reason")
	outputDesc     = desc("output_total", "Lines of the query log and messages of dnstap, by what became of them: written; lost when they were to be written (failed); above the bound for a second (limited).", "output", "result")
	brokenDesc     = desc("output_broken", "1: the output cannot be written to, or no reader is connected.", "output")
)

// records are what status tells of the query log and dnstap; nil: they are off and have been since the start.
func records(s tap.Stats) *control.Records {
	r := &control.Records{QueryLog: control.Output(s.Lines), Dnstap: control.Output(s.Frames)}
	if *r == (control.Records{}) {
		return nil
	}
	return r
}

// unrecorded are the records of a shard that were lost, by what had no room. behind is what was lost behind its ring.
func unrecorded(s *shard.Snapshot, behind tap.Lost) map[string]uint64 {
	return occurred(map[string]uint64{"ring": s.Stats.Unrecorded, "query_log": behind.Lines, "dnstap": behind.Frames})
}

// collectTap sends what became of records behind the rings.
func (s *Server) collectTap(ch chan<- prometheus.Metric) {
	stats := s.o.Tap.Stats()
	for id, lost := range stats.Lost {
		ch <- prometheus.MustNewConstMetric(unrecordedDesc, prometheus.CounterValue, float64(lost.Lines), strconv.Itoa(id), "query_log")
		ch <- prometheus.MustNewConstMetric(unrecordedDesc, prometheus.CounterValue, float64(lost.Frames), strconv.Itoa(id), "dnstap")
	}
	for name, o := range map[string]tap.Output{"query_log": stats.Lines, "dnstap": stats.Frames} {
		for result, n := range map[string]uint64{"written": o.Written, "failed": o.Failed, "limited": o.Limited} {
			ch <- prometheus.MustNewConstMetric(outputDesc, prometheus.CounterValue, float64(n), name, result)
		}
		broken := 0.0
		if o.Broken {
			broken = 1
		}
		ch <- prometheus.MustNewConstMetric(brokenDesc, prometheus.GaugeValue, broken, name)
	}
}
