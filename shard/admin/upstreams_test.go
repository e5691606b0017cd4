package admin

import (
	"net/netip"
	"testing"
	"time"

	"heimdall/core/control"
	"heimdall/core/resolver"
)

// What the shards know of a server is added up; it is up where one shard reaches it, and as fast as the fastest finds it.
func TestMergeUpstreams(t *testing.T) {
	server := netip.MustParseAddrPort("192.0.2.1:53")
	info := func(state string, srtt time.Duration, sent uint64) resolver.UpstreamInfo {
		return resolver.UpstreamInfo{
			Server: server, Zones: []string{"."}, Kinds: []string{"forward"}, State: state, SRTT: srtt, Sent: sent, DNSSEC: "unknown",
			Failures: map[string]uint64{"timeout": 1},
		}
	}
	out := mergeUpstreams([][]resolver.UpstreamInfo{{info("down", 0, 3)}, {info("up", 5*time.Millisecond, 4)}, nil, {info("up", 2*time.Millisecond, 5)}})
	if len(out.Groups) != 1 || out.Groups[0].Zone != "." || len(out.Groups[0].Servers) != 1 {
		t.Fatalf("%+v", out)
	}
	if u := out.Groups[0].Servers[0]; u.Address != server.String() || u.State != control.UpstreamUp || u.SRTTUs != 2000 || u.Queries != 12 || u.Failures != 3 || u.ShardsDown != 1 {
		t.Errorf("%+v", u)
	}
}
