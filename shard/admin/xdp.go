package admin

import (
	"context"

	"heimdall/core/control"
	"heimdall/ebpf"
	"heimdall/shard"
)

// XDP implements control.Server.
func (s *Server) XDP(context.Context) (*control.XDP, error) {
	c := s.o.Settings()
	out := &control.XDP{Mode: c.XDPMode, Interfaces: []control.XDPInterface{}, Limit: c.Limit}
	out.Limit.InKernel = s.o.Hot != nil
	if s.describeHot(out); len(out.Interfaces) > 0 {
		out.AnswersMax = c.HotAnswers
	}
	return out, nil
}

// describeHot fills in what the program counts, if it runs.
func (s *Server) describeHot(out *control.XDP) {
	h := s.o.Hot.Snapshot()
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
func (s *Server) queues(id int, snap *shard.Snapshot) (list []control.Queue) {
	first := len(s.o.Settings().Listen) // behind the sockets of the listen addresses
	for _, q := range s.o.Hot.Queues() {
		if q.Shard == id {
			c := &snap.Each[first+q.Port]
			list = append(list, control.Queue{
				Interface: q.Interface, Queue: q.Number, ZeroCopy: q.ZeroCopy, Received: c.Received, Sent: c.Sent, Drops: c.QueueDrops,
			})
		}
	}
	return list
}
