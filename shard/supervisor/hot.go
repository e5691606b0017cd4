package supervisor

import (
	"context"
	"fmt"
	"os"

	"heimdall/core"
	"heimdall/core/config"
	"heimdall/ebpf"
	"heimdall/shard"
	"heimdall/shard/hot"
	"heimdall/shard/settings"
	"heimdall/shard/worker"
)

// loadHot loads the XDP program and attaches it, as the configuration asks for, before the shards run. What this machine
// cannot do is a warning, and kernel sockets do it instead: then there is no tier.
func (s *Supervisor) loadHot() *hot.Tier {
	c := s.config()
	mode, on := settings.Mode(c)
	if !on {
		return nil
	}
	t, err := hot.Load(s.hotOptions(c))
	if err == nil {
		s.inheritLinks(t, mode)
		err = t.Attach(mode, c.XDP.Interfaces)
	}
	if err != nil {
		s.warn("the XDP program is off, all queries come through kernel sockets", err)
		t.Close()
		return nil
	}
	if c.XDP.ReversePath != "off" {
		if off := ebpf.NotForwarding(os.DirFS("/")); len(off) > 0 {
			s.warn("the XDP program finds no way back to clients, so that the kernel's own stack gets their queries",
				fmt.Errorf("xdp.reverse_path = %q takes `%s`", c.XDP.ReversePath, ebpf.ForwardCommand(off)))
		}
	}
	return t
}

func (s *Supervisor) hotOptions(c *config.Config) hot.Options {
	o := settings.Hot(c)
	o.Epoch, o.Zones, o.Shards, o.Log, o.Warn = s.epoch, s.zones.Set(s.workers()[0].Seat().Node), visits{s}, s.log, s.warn
	return o
}

// openQueues opens the AF_XDP queues, if the configuration wants them and this machine can do it, and puts them among the
// ports of the shards, which do not run yet, behind the sockets of the listen addresses. All queues are open or none is.
func (s *Supervisor) openQueues() {
	c, list := s.config(), s.workers()
	o, wanted := settings.Queues(c, len(list), s.hot.Native())
	if s.hot == nil || !wanted {
		return
	}
	var places []hot.Place
	for _, w := range list {
		at := w.Seat()
		places = append(places, hot.Place{CPU: at.CPU, Node: at.Node, Ports: w.Shard.Ports})
	}
	ports, err := s.hot.OpenQueues(o, places)
	if err != nil {
		s.warn("AF_XDP is off, all queries come through kernel sockets", err)
		return
	}
	for i, w := range list {
		w.Shard.Ports = append(w.Shard.Ports, ports[i]...)
	}
	if c.XDP.Steer == "name" && len(list) > 1 {
		s.warn("AF_XDP: the network card chooses the shard by the receive queue, not by the name", nil)
	}
}

// startHot does the rest. The shards run.
func (s *Supervisor) startHot() {
	if s.hot == nil {
		return
	}
	s.hot.Start()
	var where []string
	for _, i := range s.hot.Snapshot().Interfaces {
		where = append(where, fmt.Sprintf("%s: %v", i.Name, i.Mode))
	}
	s.log.Info("XDP", "interfaces", where, "packets", s.hot.Backend(), "sockets", s.hot.Sockets())
}

// visits implements hot.Shards.
type visits struct{ s *Supervisor }

// Count implements hot.Shards.
func (v visits) Count() int { return len(v.s.workers()) }

// Visit implements hot.Shards.
func (v visits) Visit(ctx context.Context, shardID int, f func(*core.Engine)) error {
	list := v.s.workers()
	if shardID >= len(list) { // there were more
		return worker.ErrAbsent
	}
	return list[shardID].Do(ctx, func(sh *shard.Shard) { f(sh.Engine()) })
}

// startSteering begins to steer among the shards of list. It warns of what is not possible on this machine.
func (s *Supervisor) startSteering(list []*worker.Worker) error {
	by := settings.Steering(s.config())
	s.steering = hot.NewSteering(by)
	if s.given != nil {
		if err := hot.Clear(socketsOf(list)); err != nil {
			return err
		}
	}
	err := s.steering.Begin(socketsOf(list))
	if err == nil || by == ebpf.ByCPU {
		return err
	}
	s.warn("steering by name is off, the kernel spreads queries by their addresses", err)
	return nil
}

// socketsOf are the kernel sockets of shards, for a Steering.
func socketsOf(list []*worker.Worker) (out []hot.Sockets) {
	for _, w := range list {
		sockets := hot.Sockets{CPU: w.Seat().CPU}
		for i, l := range w.Shard.Listeners {
			sockets.UDP, sockets.TCP = append(sockets.UDP, w.Shard.Ports[i].FD()), append(sockets.TCP, l.FD())
		}
		out = append(out, sockets)
	}
	return out
}
