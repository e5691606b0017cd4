package admin

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"heimdall/core/control"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// maxInfra bounds the servers of one response; each takes about 300 octets.
const maxInfra = 8192

// NTAAdd implements control.Server.
func (s *Server) NTAAdd(ctx context.Context, args control.NTAArgs) (*control.NTAList, error) {
	zone, err := parseName(args.Name)
	if err != nil {
		return nil, err
	}
	return s.o.Anchors.Add(ctx, zone)
}

// NTARemove implements control.Server.
func (s *Server) NTARemove(ctx context.Context, args control.NTAArgs) (*control.NTAList, error) {
	zone, err := parseName(args.Name)
	if err != nil {
		return nil, err
	}
	return s.o.Anchors.Remove(ctx, zone)
}

// NTAs implements control.Server.
func (s *Server) NTAs(context.Context) (*control.NTAList, error) { return s.o.Anchors.Negative() }

// Infra implements control.Server.
func (s *Server) Infra(ctx context.Context, args control.InfraArgs) (*control.Infra, error) {
	wanted := func(netip.AddrPort) bool { return true }
	if args.Address != "" {
		if full, err := netip.ParseAddrPort(args.Address); err == nil {
			wanted = func(a netip.AddrPort) bool { return a == full }
		} else if addr, err := netip.ParseAddr(args.Address); err == nil {
			wanted = func(a netip.AddrPort) bool { return a.Addr() == addr }
		}
	}
	list := s.o.Workers()
	infos := make([][]resolver.UpstreamInfo, len(list))
	err := onAll(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) { infos[i] = sh.Engine().Resolver().Infra(maxInfra) })
	if err != nil {
		return nil, err
	}
	return mergeInfra(infos, wanted), nil
}

// mergeInfra joins what the shards know of each server.
func mergeInfra(infos [][]resolver.UpstreamInfo, wanted func(netip.AddrPort) bool) *control.Infra {
	servers := map[netip.AddrPort]*control.InfraServer{}
	out := &control.Infra{Servers: []control.InfraServer{}}
	var order []netip.AddrPort
	for _, list := range infos {
		for i := range list {
			u := &list[i]
			if !wanted(u.Server) {
				continue
			}
			to := servers[u.Server]
			if to == nil {
				to = &control.InfraServer{Address: u.Server.String(), State: control.UpstreamUnknown, EDNS: u.EDNS, KeepCase: u.KeepCase, Failures: map[string]uint64{}}
				servers[u.Server] = to
				order = append(order, u.Server)
			}
			addInfra(to, u)
		}
	}
	slices.SortFunc(order, netip.AddrPort.Compare)
	if len(order) > maxInfra {
		order, out.Truncated = order[:maxInfra], true
	}
	for _, addr := range order {
		out.Servers = append(out.Servers, *servers[addr])
	}
	return out
}

func addInfra(to *control.InfraServer, u *resolver.UpstreamInfo) {
	to.Shards++
	if u.State == "up" || u.State == "down" && to.State == control.UpstreamUnknown {
		to.State = control.UpstreamState(u.State)
	}
	if us := float64(u.SRTT) / 1e3; us > 0 && (to.SRTTUs == 0 || us < to.SRTTUs) {
		to.SRTTUs = us
	}
	if us := float64(u.RTO) / 1e3; to.RTOUs == 0 || us < to.RTOUs {
		to.RTOUs = us
	}
	if to.EDNS == "unknown" {
		to.EDNS = u.EDNS
	}
	if to.KeepCase == "unknown" {
		to.KeepCase = u.KeepCase
	}
	to.InFlight += u.InFlight
	to.Queries += u.Sent
	to.Responses += u.Answered
	to.Timeouts += u.Timeouts
	for why, n := range u.Failures {
		to.Failures[why] += n
	}
}

// DNSSECStatus implements control.Server.
func (s *Server) DNSSECStatus(ctx context.Context) (*control.DNSSECStatus, error) {
	out := &control.DNSSECStatus{Anchors: []control.TrustAnchor{}, Negative: []control.NTA{}, Verdicts: map[string]uint64{}, Bogus: map[string]uint64{}}
	trust := s.o.Anchors.Snapshot()
	if !trust.Validation {
		return out, nil
	}
	out.Validation, out.Anchors, out.Negative, out.Update = true, trust.Positive, trust.Negative, trust.Update
	list := s.o.Workers()
	snaps := make([]*shard.Snapshot, len(list))
	bogus := make([]map[string]uint64, len(list))
	err := onAll(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) {
		snaps[i], bogus[i] = w.History.Complete(sh.Snapshot()), sh.Engine().Resolver().Bogus()
	})
	if err != nil {
		return nil, err
	}
	worker.AddCounts(out.Bogus, s.o.Histories.Bogus())
	for _, why := range bogus {
		worker.AddCounts(out.Bogus, why)
	}
	for _, snap := range slices.Concat(snaps, slices.Collect(maps.Values(s.o.Histories.Ended(list, snaps)))) {
		if snap == nil {
			continue
		}
		for _, status := range [...]dnssec.Status{dnssec.Secure, dnssec.Insecure, dnssec.Indeterminate, dnssec.Bogus} {
			out.Verdicts[status.String()] += snap.Resolver.Verdicts[status]
		}
		out.Jobs += snap.Resolver.Jobs
		out.JobsRefused += snap.Resolver.JobsRefused
	}
	v := s.o.Verifier.Stats()
	out.JobsWaiting, out.MemoHits, out.MemoMisses = v.Waiting, v.MemoHits, v.MemoMisses
	return out, nil
}
