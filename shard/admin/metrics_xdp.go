package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"heimdall/ebpf"
)

var (
	xdpPacketsDesc  = desc("xdp_packets_total", "Packets that the XDP program has seen, by what became of them and why.", "exit")
	xdpVerdictsDesc = desc("xdp_verdicts_total", "Packets that the XDP program has seen, by what became of them.", "verdict")
	xdpLimitDesc    = desc("xdp_answers_limit", "Hot answers that the kernel may have; 0: none are given.")
	xdpMemoryDesc   = desc("xdp_answers_bytes", "Memory of the table of hot answers, in bytes.")
	xdpAnswersDesc  = desc("xdp_answers", "Hot answers in the kernel, expired ones included.")
	xdpClientsDesc  = desc("xdp_client_prefixes", "Prefixes in the kernel's table of clients.")
	xdpFailuresDesc = desc("xdp_client_failures_total", "Changes of the configuration that the kernel's table of clients did not take.")
	xdpWithheldDesc = desc("xdp_answers_withheld", "1 while hot answers are withheld, since the kernel's table of clients lacks a change that takes them from somebody.")
	xdpAttachedDesc = desc("xdp_attached", "1 for each interface that the XDP program is attached to, 0 for those that others have taken it off.", "interface", "mode")
)

// collectXDP sends the counters of tier 0. Without it they are 0, so that whoever draws them or rates them has something to.
func (s *Server) collectXDP(ch chan<- prometheus.Metric) {
	h := s.o.Hot.Snapshot()
	if h.Stale || s.o.Hot != nil && len(h.Interfaces) == 0 {
		return // the kernel does not tell
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for e := ebpf.Exit(1); int(e) < ebpf.Exits; e++ {
		ch <- prometheus.MustNewConstMetric(xdpPacketsDesc, prometheus.CounterValue, float64(h.Exits[e]), e.String())
	}
	for verdict, n := range map[string]uint64{"answered": h.Exits.Answered(), "dropped": h.Exits.Dropped(), "passed": h.Exits.Passed()} {
		ch <- prometheus.MustNewConstMetric(xdpVerdictsDesc, prometheus.CounterValue, float64(n), verdict)
	}
	gauge(xdpAnswersDesc, float64(h.Answers))
	limit := 0
	if len(h.Interfaces) > 0 {
		limit = s.o.Settings().HotAnswers
	}
	gauge(xdpLimitDesc, float64(limit))
	gauge(xdpMemoryDesc, float64(h.TableBytes))
	gauge(xdpClientsDesc, float64(h.Clients.Prefixes))
	ch <- prometheus.MustNewConstMetric(xdpFailuresDesc, prometheus.CounterValue, float64(h.Clients.Failures))
	withheld := 0.0
	if h.Clients.Withheld {
		withheld = 1
	}
	gauge(xdpWithheldDesc, withheld)
	for _, i := range h.Interfaces {
		attached := 1.0
		if i.Lost {
			attached = 0
		}
		gauge(xdpAttachedDesc, attached, i.Name, i.Mode.String())
	}
}
