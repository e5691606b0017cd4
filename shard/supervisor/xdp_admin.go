package supervisor

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/control"
	"heimdall/ebpf"
	"heimdall/shard"
)

// XDP implements control.Server.
func (s *Supervisor) XDP(context.Context) (*control.XDP, error) {
	c := s.config()
	l := &c.Limit
	out := &control.XDP{Mode: c.XDP.Mode, Interfaces: []control.XDPInterface{}, Limit: control.Limit{
		QueriesPerSecond: l.QueriesPerSecond, Burst: l.Burst, Slip: l.Slip, IPv4Prefix: l.IPv4Prefix, IPv6Prefix: l.IPv6Prefix,
		Exempt: len(l.Exempt), Deny: len(l.Deny), InKernel: s.hot != nil,
	}}
	s.describeHot(out)
	if len(out.Interfaces) > 0 && c.XDP.AnswerCache {
		out.AnswersMax = c.XDP.AnswerEntries
	}
	return out, nil
}

// describeHot fills in what the program counts, if it runs.
func (s *Supervisor) describeHot(out *control.XDP) {
	h := s.hot.Snapshot()
	if len(h.Interfaces) == 0 {
		return
	}
	for _, i := range h.Interfaces {
		out.Interfaces = append(out.Interfaces, control.XDPInterface{Name: i.Name, Mode: i.Mode.String(), Detached: i.Lost})
	}
	out.Answered, out.Dropped, out.Passed = h.Exits.Answered(), h.Exits.Dropped(), h.Exits.Passed()
	for e := ebpf.Exit(1); int(e) < ebpf.Exits; e++ {
		out.Exits = append(out.Exits, control.XDPExit{Name: e.String(), Packets: h.Exits[e]})
	}
	out.Clients = control.XDPClients(h.Clients)
	out.Answers, out.TableBytes = h.Answers, h.TableBytes
}

// queues lists the receive queues of a shard.
func (s *Supervisor) queues(id int, snap *shard.Snapshot) (list []control.Queue) {
	first := len(s.config().Server.Listen) // behind the sockets of the listen addresses
	for _, q := range s.hot.Queues() {
		if q.Shard == id {
			c := &snap.Each[first+q.Port]
			list = append(list, control.Queue{
				Interface: q.Interface, Queue: q.Number, ZeroCopy: q.ZeroCopy, Received: c.Received, Sent: c.Sent, Drops: c.QueueDrops,
			})
		}
	}
	return list
}

var (
	xdpPacketsDesc  = desc("xdp_packets_total", "Packets that the XDP program has seen, by what became of them and why.", "exit")
	xdpAnswersDesc  = desc("xdp_answers", "Hot answers in the kernel, expired ones included.")
	xdpClientsDesc  = desc("xdp_client_prefixes", "Prefixes in the kernel's table of clients.")
	xdpFailuresDesc = desc("xdp_client_failures_total", "Changes of the configuration that the kernel's table of clients did not take.")
	xdpWithheldDesc = desc("xdp_answers_withheld", "1 while hot answers are withheld, since the kernel's table of clients lacks a change that takes them from somebody.")
	xdpAttachedDesc = desc("xdp_attached", "1 for each interface that the XDP program is attached to, 0 for those that others have taken it off.", "interface", "mode")
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
