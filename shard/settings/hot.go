package settings

import (
	"heimdall/core/config"
	"heimdall/ebpf"
	"heimdall/shard/hot"
)

// Values of xdp.mode, xdp.reverse_path and xdp.steer.
var (
	modes        = map[string]ebpf.Mode{"auto": ebpf.Auto, "native": ebpf.Native, "generic": ebpf.Generic}
	reversePaths = map[string]ebpf.ReversePath{"off": ebpf.ReverseOff, "loose": ebpf.ReverseLoose, "strict": ebpf.ReverseStrict}
	steerings    = map[string]ebpf.By{"flow": ebpf.ByFlow, "cpu": ebpf.ByCPU, "name": ebpf.ByName}
)

// Mode is how to attach the XDP program; false: not at all.
func Mode(c *config.Config) (ebpf.Mode, bool) {
	mode, on := modes[c.XDP.Mode]
	return mode, on
}

// Steering is what chooses the shard of a packet.
func Steering(c *config.Config) ebpf.By { return steerings[c.XDP.Steer] }

// Hot is what tier 0 takes: without the zones and the shards.
func Hot(c *config.Config) hot.Options {
	o := hot.Options{
		Listen: c.Server.Listen, Reverse: reversePaths[c.XDP.ReversePath], MinHits: c.XDP.AnswerMinHits,
		Recursion: c.Recursion.Enabled, Rules: HotRules(c),
	}
	if c.XDP.AnswerCache {
		o.Entries = c.XDP.AnswerEntries
	}
	return o
}

// HotRules are the part of tier 0 that a reload may change.
func HotRules(c *config.Config) hot.Rules {
	r := hot.Rules{
		Payload: uint16(c.Server.UDPPayload), Clients: ebpf.Clients{Deny: c.Limit.Deny, Exempt: c.Limit.Exempt},
		Limits: kernelLimits(c), Prefetch: uint32(c.Cache.Prefetch),
	}
	if c.Recursion.Enabled {
		r.Clients.Ask = c.Recursion.Allow
	}
	return r
}

// Queues is what the AF_XDP queues take. wanted decides for "auto": they are worth it in native mode, and cannot steer by
// name.
func Queues(c *config.Config, shards int, native bool) (o hot.QueueOptions, wanted bool) {
	o = hot.QueueOptions{BusyPoll: c.IO.BusyPoll, Batch: c.IO.Batch, HugePages: c.Memory.HugePages}
	return o, c.IO.Backend == "xsk" || c.IO.Backend == "auto" && native && (c.XDP.Steer != "name" || shards == 1)
}
