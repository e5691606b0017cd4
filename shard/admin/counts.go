package admin

import (
	"heimdall/core/wire"
	"heimdall/shard"
)

// The maps below give the counters of a snapshot the names that operators see, in the CLI and the metrics.
// Reasons that did not occur are left out where the list is long.

func sources(s *shard.Snapshot) map[string]uint64 {
	return map[string]uint64{
		"zone": s.Engine.Zone, "cache": s.Engine.Hits, "stale": s.Engine.StaleHits, "local": s.Engine.Local, "upstream": s.Engine.Misses, "refused": s.Engine.Refused,
		"slip": s.Engine.Slipped,
	}
}

func rcodes(s *shard.Snapshot) map[string]uint64 {
	return some(func(add func(string, uint64)) {
		for code, n := range s.Engine.Rcodes {
			add(wire.Rcode(code).String(), n)
		}
	})
}

// drops are the messages without a response, by reason.
func drops(s *shard.Snapshot) map[string]uint64 {
	return some(func(add func(string, uint64)) {
		add("short", s.Engine.Short)
		add("response", s.Engine.Responses)
		add("denied", s.Engine.Denied)
		add("limited", s.Engine.Limited)
		add("overload", s.Engine.Dropped)
		add("shed", s.Stats.Shed)
		add("oversize", s.Ports.Oversize)
		add("malformed", s.Ports.Malformed)
		add("receive_queue", s.Ports.QueueDrops)
		add("send", s.Ports.SendDrops)
		add("descriptors", s.TCP.Starved)
	})
}

// limited are the misses that were not resolved because of a limit, by the limit: queries in flight, the
// client's share of them, the time that one may wait for its turn.
func limited(s *shard.Snapshot) map[string]uint64 {
	return some(func(add func(string, uint64)) {
		add("in_flight", s.Engine.InFlight)
		add("share", s.Engine.Share)
		add("waited", s.Engine.Expired)
	})
}

// ignored are the datagrams from other servers that answered no query, by reason.
func ignored(s *shard.Snapshot) map[string]uint64 {
	r := &s.Resolver
	return some(func(add func(string, uint64)) {
		add("short", r.Short)
		add("id", r.UnknownID)
		add("source", r.WrongSource)
		add("no_response", r.NotResponse)
		add("opcode", r.WrongOpcode)
		add("question", r.WrongQuestion)
		add("letter_case", r.WrongCase)
		add("cookie", r.WrongCookie)
	})
}

func evictions(s *shard.Snapshot) map[string]uint64 {
	return some(func(add func(string, uint64)) {
		c := &s.Cache.Store
		add("small_queue", c.EvictedSmall)
		add("main_queue", c.EvictedMain)
		add("index", c.EvictedIndex)
	})
}

func some(fill func(add func(string, uint64))) map[string]uint64 {
	m := map[string]uint64{}
	fill(func(name string, n uint64) {
		if n > 0 {
			m[name] = n
		}
	})
	return m
}
