package admin

import (
	"context"
	"fmt"
	"sort"

	"heimdall/core/control"
	"heimdall/core/resolver"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// Upstreams implements control.Server.
func (s *Server) Upstreams(ctx context.Context) (*control.Upstreams, error) {
	list := s.o.Workers()
	infos := make([][]resolver.UpstreamInfo, len(list))
	err := onAll(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) { infos[i] = sh.Engine().Resolver().Upstreams() })
	if err != nil {
		return nil, err
	}
	return mergeUpstreams(infos), nil
}

// mergeUpstreams joins what the shards know of each server.
func mergeUpstreams(infos [][]resolver.UpstreamInfo) *control.Upstreams {
	groups := map[string]map[string]*control.Upstream{} // "kind zone", address
	for _, list := range infos {
		for _, u := range list {
			for k, zone := range u.Zones {
				id := u.Kinds[k] + " " + zone
				if groups[id] == nil {
					groups[id] = map[string]*control.Upstream{}
				}
				addr := u.Server.String()
				to := groups[id][addr]
				if to == nil {
					to = &control.Upstream{Address: addr, State: control.UpstreamUnknown}
					groups[id][addr] = to
				}
				mergeUpstream(to, &u)
			}
		}
	}
	out := new(control.Upstreams)
	for id, servers := range groups {
		var g control.UpstreamGroup
		fmt.Sscan(id, &g.Kind, &g.Zone)
		for _, u := range servers {
			g.Servers = append(g.Servers, *u)
		}
		sort.Slice(g.Servers, func(i, j int) bool { return g.Servers[i].Address < g.Servers[j].Address })
		out.Groups = append(out.Groups, g)
	}
	sort.Slice(out.Groups, func(i, j int) bool { return out.Groups[i].Zone < out.Groups[j].Zone })
	return out
}

func mergeUpstream(to *control.Upstream, u *resolver.UpstreamInfo) {
	switch {
	case u.State == "down":
		to.ShardsDown++
		if to.State == control.UpstreamUnknown {
			to.State = control.UpstreamDown
		}
	case u.State == "up":
		to.State = control.UpstreamUp
	}
	if us := float64(u.SRTT) / 1e3; us > 0 && (to.SRTTUs == 0 || us < to.SRTTUs) {
		to.SRTTUs = us
	}
	to.InFlight += u.InFlight
	to.Queries += u.Sent
	to.Responses += u.Answered
	to.Timeouts += u.Timeouts
	to.Mismatches += u.Mismatches
	to.Truncated += u.Truncated
	to.NoEDNS = to.NoEDNS || u.EDNS == "no"
	if to.DNSSEC == "" || to.DNSSEC == "unknown" || u.DNSSEC == "no" {
		to.DNSSEC = u.DNSSEC
	}
	if u.Bare != "" {
		to.Bare = u.Bare
	}
	for _, n := range u.Failures {
		to.Failures += n
	}
}
