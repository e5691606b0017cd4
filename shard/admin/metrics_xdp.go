package admin

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	xdpPacketsDesc  = desc("xdp_packets_total", "Packets that the XDP program has seen, by what became of them and why.", "exit")
	xdpAnswersDesc  = desc("xdp_answers", "Hot answers in the kernel, expired ones included.")
	xdpClientsDesc  = desc("xdp_client_prefixes", "Prefixes in the kernel's table of clients.")
	xdpFailuresDesc = desc("xdp_client_failures_total", "Changes of the configuration that the kernel's table of clients did not take.")
	xdpWithheldDesc = desc("xdp_answers_withheld", "1 while hot answers are withheld, since the kernel's table of clients lacks a change that takes them from somebody.")
	xdpAttachedDesc = desc("xdp_attached", "1 for each interface that the XDP program is attached to, 0 for those that others have taken it off.", "interface", "mode")
)

// collectXDP sends the counters of tier 0, if it runs.
func (s *Server) collectXDP(ch chan<- prometheus.Metric) {
	x, err := s.XDP(context.Background())
	if err != nil || len(x.Interfaces) == 0 {
		return
	}
	for _, e := range x.Exits {
		ch <- prometheus.MustNewConstMetric(xdpPacketsDesc, prometheus.CounterValue, float64(e.Packets), e.Name)
	}
	ch <- prometheus.MustNewConstMetric(xdpAnswersDesc, prometheus.GaugeValue, float64(x.Answers))
	ch <- prometheus.MustNewConstMetric(xdpClientsDesc, prometheus.GaugeValue, float64(x.Clients.Prefixes))
	ch <- prometheus.MustNewConstMetric(xdpFailuresDesc, prometheus.CounterValue, float64(x.Clients.Failures))
	withheld := 0.0
	if x.Clients.Withheld {
		withheld = 1
	}
	ch <- prometheus.MustNewConstMetric(xdpWithheldDesc, prometheus.GaugeValue, withheld)
	for _, i := range x.Interfaces {
		attached := 1.0
		if i.Detached {
			attached = 0
		}
		ch <- prometheus.MustNewConstMetric(xdpAttachedDesc, prometheus.GaugeValue, attached, i.Name, i.Mode)
	}
}
