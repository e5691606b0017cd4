package settings

import (
	"time"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/config"
	"heimdall/core/local"
	"heimdall/core/policy"
	"heimdall/shard/seed"
)

// Rules are the part of an Engine that a reload may change. filtered means that the XDP program applies limits before the shards.
func Rules(c *config.Config, filtered bool) core.Rules {
	r := core.Rules{
		ACL:              policy.NewACL(c.Recursion.Allow),
		Local:            local.NewTable(localOptions(c)),
		Limiter:          limiter(c, filtered),
		UDPPayload:       uint16(c.Server.UDPPayload),
		Recursion:        c.Recursion.Enabled,
		Prefetch:         uint32(c.Cache.Prefetch),
		PrefetchHits:     uint32(c.Cache.PrefetchMinHits),
		FailureTTL:       seconds(c.Cache.ServfailTTL),
		RefusalsPerRound: refusalsPerRound,
	}
	if c.Cache.Stale > 0 {
		r.StaleTTL = max(seconds(c.Cache.StaleAnswerTTL), 1)
		r.StaleAfter = int64(c.Cache.StaleClientTimeout)
	}
	return r
}

// refusalsPerRound is how many misses of one batch get SERVFAIL because there is no room for them. The rest of a flood is
// dropped: sending SERVFAIL would cost the time that hits need.
const refusalsPerRound = 16

func localOptions(c *config.Config) local.Options {
	o := local.Options{
		SpecialNames: c.Local.SpecialNames, MinimalANY: c.Server.MinimalANY,
		Version: c.Server.Version, Identity: c.Server.Identity, Hostname: c.Server.Hostname,
	}
	for _, u := range c.Forward {
		o.Zones = append(o.Zones, u.Zone)
	}
	for _, u := range c.Stub {
		o.Zones = append(o.Zones, u.Zone)
	}
	for _, z := range c.Zone {
		o.Zones = append(o.Zones, z.Name)
	}
	return o
}

// Answers is what the cache of whole answers takes, in so much memory. With none it is what a reload may change.
func Answers(c *config.Config, mem []byte) cache.AnswersOptions {
	o := cache.AnswersOptions{
		Memory: mem, Seed: seed.Uint64(), MaxEntry: int(c.Cache.MaxEntry),
		MinTTL: seconds(c.Cache.MinTTL), MaxTTL: seconds(c.Cache.MaxTTL), MaxNegativeTTL: seconds(c.Cache.MaxNegativeTTL),
		StaleTTL: seconds(c.Cache.Stale),
	}
	if c.Cache.Engine == "ristretto" {
		o.Engine = cache.EngineRistretto
	}
	return o
}

// Split divides a shard's memory between whole answers and the records that resolution from the root has
// learned. A forwarder needs no records.
func Split(c *config.Config, mem []byte) (answers, records []byte) {
	if !c.Recursion.Enabled {
		return mem, nil
	}
	at := len(mem) - len(mem)/4
	return mem[:at:at], mem[at:]
}

// Queue is what the fair queue of misses takes.
func Queue(c *config.Config) policy.FairOptions {
	return policy.FairOptions{
		Seed: seed.Uint64(), InFlight: c.Resolver.InFlight, Parked: c.Resolver.Waiting, Share: c.Resolver.PerClient,
		IPv4Bits: c.Resolver.ClientIPv4Prefix, IPv6Bits: c.Resolver.ClientIPv6Prefix,
	}
}

func seconds(d time.Duration) uint32 { return uint32(min(d/time.Second, 1<<31)) }
