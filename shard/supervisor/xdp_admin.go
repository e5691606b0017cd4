package supervisor

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/control"
	"heimdall/ebpf"
)

// XDP implements control.Server.
func (s *Supervisor) XDP(context.Context) (*control.XDP, error) {
	s.mu.Lock()
	c, started := s.cfg, s.running
	s.mu.Unlock()
	l := &c.Limit
	out := &control.XDP{Mode: started.XDP.Mode, Interfaces: []control.XDPInterface{}, Limit: control.Limit{
		QueriesPerSecond: l.QueriesPerSecond, Burst: l.Burst, Slip: l.Slip, IPv4Prefix: l.IPv4Prefix, IPv6Prefix: l.IPv6Prefix,
		Exempt: len(l.Exempt), Deny: len(l.Deny), InKernel: s.filtered.Load(),
	}}
	snap := s.xdp.snapshot()
	for _, m := range snap.Interfaces {
		name, mode, _ := strings.Cut(m, ": ")
		out.Interfaces = append(out.Interfaces, control.XDPInterface{Name: name, Mode: mode})
	}
	if len(snap.Interfaces) == 0 {
		return out, nil
	}
	out.Answered, out.Dropped, out.Passed = snap.Answered, snap.Dropped, snap.Passed
	for e := ebpf.Exit(1); int(e) < ebpf.Exits; e++ {
		out.Exits = append(out.Exits, control.XDPExit{Name: e.String(), Packets: snap.Exits[e.String()]})
	}
	out.Answers, out.TableBytes = snap.Answers, snap.TableBytes
	if started.XDP.AnswerCache {
		out.AnswersMax = started.XDP.AnswerEntries
	}
	return out, nil
}

var (
	xdpPacketsDesc  = desc("xdp_packets_total", "Packets that the XDP program has seen, by what became of them and why.", "exit")
	xdpAnswersDesc  = desc("xdp_answers", "Hot answers in the kernel, expired ones included.")
	xdpAttachedDesc = desc("xdp_attached", "1 for each interface that the XDP program is attached to.", "interface", "mode")
)

// collectXDP sends the counters of tier 0, if it runs.
func (s *Supervisor) collectXDP(ch chan<- prometheus.Metric) {
	x, err := s.XDP(context.Background())
	if err != nil || len(x.Interfaces) == 0 {
		return
	}
	for _, e := range x.Exits {
		ch <- prometheus.MustNewConstMetric(xdpPacketsDesc, prometheus.CounterValue, float64(e.Packets), e.Name)
	}
	ch <- prometheus.MustNewConstMetric(xdpAnswersDesc, prometheus.GaugeValue, float64(x.Answers))
	for _, i := range x.Interfaces {
		ch <- prometheus.MustNewConstMetric(xdpAttachedDesc, prometheus.GaugeValue, 1, i.Name, i.Mode)
	}
}
