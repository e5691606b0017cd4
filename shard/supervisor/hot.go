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
	"heimdall/shard/worker"
)

// loadHot loads the XDP program and attaches it, as the configuration asks for, before the shards run. What this machine
// cannot do is a warning, and kernel sockets do it instead: then there is no tier.
func (s *Supervisor) loadHot() *hot.Tier {
	c := s.config()
	if c.XDP.Mode == "off" {
		return nil
	}
	t, err := hot.Load(s.hotOptions(c))
	if err == nil {
		err = t.Attach(modes[c.XDP.Mode], c.XDP.Interfaces)
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

// Values of xdp.mode, xdp.reverse_path and xdp.steer.
var (
	modes        = map[string]ebpf.Mode{"auto": ebpf.Auto, "native": ebpf.Native, "generic": ebpf.Generic}
	reversePaths = map[string]ebpf.ReversePath{"off": ebpf.ReverseOff, "loose": ebpf.ReverseLoose, "strict": ebpf.ReverseStrict}
	steerings    = map[string]ebpf.By{"flow": ebpf.ByFlow, "cpu": ebpf.ByCPU, "name": ebpf.ByName}
)

func (s *Supervisor) hotOptions(c *config.Config) hot.Options {
	o := hot.Options{
		Epoch: s.epoch, Listen: c.Server.Listen, Reverse: reversePaths[c.XDP.ReversePath], MinHits: c.XDP.AnswerMinHits,
		Recursion: c.Recursion.Enabled, Rules: hotRules(c), Zones: s.zones.Set(s.workers()[0].Seat().Node), Shards: visits{s},
		Log: s.log, Warn: s.warn,
	}
	if c.XDP.AnswerCache {
		o.Entries = c.XDP.AnswerEntries
	}
	return o
}

// hotRules are what of tier 0 a reload may change.
func hotRules(c *config.Config) hot.Rules {
	r := hot.Rules{
		Payload: uint16(c.Server.UDPPayload), Clients: ebpf.Clients{Deny: c.Limit.Deny, Exempt: c.Limit.Exempt},
		Limits: kernelLimits(c), Prefetch: uint32(c.Cache.Prefetch),
	}
	if c.Recursion.Enabled {
		r.Clients.Ask = c.Recursion.Allow
	}
	return r
}

// openQueues opens the AF_XDP queues, if the configuration wants them and this machine can do it, and puts them among the
// ports of the shards, which do not run yet, behind the sockets of the listen addresses. All queues are open or none is.
func (s *Supervisor) openQueues() {
	c, list := s.config(), s.workers()
	if s.hot == nil || !wantsQueues(c, len(list), s.hot.Native()) {
		return
	}
	var places []hot.Place
	for _, w := range list {
		at := w.Seat()
		places = append(places, hot.Place{CPU: at.CPU, Node: at.Node, Ports: w.Shard.Ports})
	}
	ports, err := s.hot.OpenQueues(hot.QueueOptions{BusyPoll: c.IO.BusyPoll, Batch: c.IO.Batch, HugePages: c.Memory.HugePages}, places)
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

// wantsQueues decides for "auto": AF_XDP is worth it in native mode, and cannot steer by name.
func wantsQueues(c *config.Config, shards int, native bool) bool {
	return c.IO.Backend == "xsk" || c.IO.Backend == "auto" && native && (c.XDP.Steer != "name" || shards == 1)
}

// startHot does the rest. The shards run.
func (s *Supervisor) startHot() {
	if s.hot == nil {
		return
	}
	s.hot.Start()
	var where []string
	for _, i := range s.hot.Interfaces() {
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

// startSteering begins to steer among the shards of list. What is not possible on this machine is told in a warning.
func (s *Supervisor) startSteering(list []*worker.Worker) error {
	by := steerings[s.config().XDP.Steer]
	s.steering = hot.NewSteering(by)
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
