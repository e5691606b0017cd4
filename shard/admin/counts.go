package admin

import (
	"maps"
	"strings"

	"heimdall/core"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
	"heimdall/shard"
)

// The maps below give the counters of a snapshot the names that operators see, in the CLI and the metrics. They have all
// names, so that a collector sees the first of each; occurred leaves out those that did not occur.

func sources(s *shard.Snapshot) map[string]uint64 {
	return map[string]uint64{
		"zone": s.Engine.Zone, "cache": s.Engine.Hits, "stale": s.Engine.StaleHits, "local": s.Engine.Local, "upstream": s.Engine.Misses, "refused": s.Engine.Refused,
		"slip": s.Engine.Slipped,
	}
}

// other is the name of all that has no name of its own: strangers must not choose how many names there are.
const other = "other"

func rcodes(s *shard.Snapshot) map[string]uint64 {
	m := map[string]uint64{}
	for code, n := range s.Engine.Rcodes {
		name := wire.Rcode(code).String()
		if strings.HasPrefix(name, "RCODE") {
			name = other
		}
		m[name] += n
	}
	return m
}

// types are the queries by the type asked for.
func types(counts *[core.OtherTypes + 1]uint64) map[string]uint64 {
	m := map[string]uint64{}
	for t, n := range counts {
		name := wire.Type(t).String()
		if t == core.OtherTypes || strings.HasPrefix(name, "TYPE") {
			name = other
		}
		m[name] += n
	}
	return m
}

// drops are the messages without a response, by reason.
func drops(s *shard.Snapshot) map[string]uint64 {
	return map[string]uint64{
		"short": s.Engine.Short, "response": s.Engine.Responses, "denied": s.Engine.Denied, "limited": s.Engine.Limited, "overload": s.Engine.Dropped,
		"shed": s.Stats.Shed, "oversize": s.Ports.Oversize, "malformed": s.Ports.Malformed, "receive_queue": s.Ports.QueueDrops, "send": s.Ports.SendDrops,
		"descriptors": s.TCP.Starved,
	}
}

// limited are the misses that were not resolved because of a limit, by the limit: queries in flight, the
// client's share of them, the time that one may wait for its turn.
func limited(s *shard.Snapshot) map[string]uint64 {
	return map[string]uint64{"in_flight": s.Engine.InFlight, "share": s.Engine.Share, "waited": s.Engine.Expired}
}

// ignored are the datagrams from other servers that answered no query, by reason.
func ignored(s *shard.Snapshot) map[string]uint64 {
	r := &s.Resolver
	return map[string]uint64{
		"short": r.Short, "id": r.UnknownID, "source": r.WrongSource, "no_response": r.NotResponse, "opcode": r.WrongOpcode, "question": r.WrongQuestion,
		"letter_case": r.WrongCase, "cookie": r.WrongCookie,
	}
}

func evictions(s *shard.Snapshot) map[string]uint64 {
	c := &s.Cache.Store
	return map[string]uint64{"small_queue": c.EvictedSmall, "main_queue": c.EvictedMain, "index": c.EvictedIndex}
}

// verdicts are the answers to clients that were validated, by what came of it.
func verdicts(s *shard.Snapshot) map[string]uint64 {
	m := map[string]uint64{}
	for v, n := range s.Resolver.Verdicts {
		if dnssec.Status(v) != dnssec.Unchecked {
			m[dnssec.Status(v).String()] = n
		}
	}
	return m
}

// occurred removes the counts of 0.
func occurred(m map[string]uint64) map[string]uint64 {
	maps.DeleteFunc(m, func(_ string, n uint64) bool { return n == 0 })
	return m
}
