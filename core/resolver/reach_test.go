package resolver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// unroutable is a zone whose servers lie where no route leads, beside a sound one.
func unroutable(t *testing.T, servers ...string) *network {
	var glue strings.Builder
	for i, s := range servers {
		fmt.Fprintf(&glue, "far. 3600 NS ns%d.far.\nns%d.far. 3600 %s %s\n", i, i, map[bool]string{true: "AAAA", false: "A"}[strings.Contains(s, ":")], s)
	}
	n := world(t, Options{}, "192.0.2.1 .\nsound. 3600 NS ns.sound.\nns.sound. 3600 A 192.0.2.2\n"+glue.String()+"192.0.2.2 sound.\n")
	n.servers[addr("192.0.2.2")] = answersAll
	return n
}

// A zone of strangers that names servers to which nothing can be sent does not keep other zones from being asked, be
// they few or many, near or far from each other.
func TestUnreachableServersOfOneZone(t *testing.T) {
	var far []string
	for i := range maxNS {
		far = append(far, fmt.Sprintf("%d.10.0.1", 11+i))
	}
	for _, servers := range [][]string{{"198.18.0.1"}, {"198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.0.4"}, far} {
		for _, why := range []Obstacle{NoRoute, Forbidden} {
			n := unroutable(t, servers...)
			n.unsent = func(a Action) Obstacle {
				if n.servers[a.Server] == nil {
					return why
				}
				return NoObstacle
			}
			for i := range 5 {
				if a, _ := n.resolve(question(fmt.Sprintf("x%d.far.", i), wire.TypeA)); !a.Failed || a.EDE != wire.EDENetworkError {
					t.Errorf("%v: %+v", servers, a)
				}
				if a, _ := n.resolve(question(fmt.Sprintf("x%d.sound.", i), wire.TypeA)); a.Failed {
					t.Errorf("%v, %v: beside it: %s", servers, why, a.EDEText)
				}
			}
			n.idle()
		}
	}
}

// Without IPv6 the addresses of that family are soon left alone; they are still tried where there are no others, and
// again when a while has passed.
func TestFamilyWithoutRoute(t *testing.T) {
	var zones, data strings.Builder
	for i := range 40 {
		fmt.Fprintf(&zones, "z%d. 3600 NS ns.z%d.\nns.z%d. 3600 A 192.0.2.2\nns.z%d. 3600 AAAA 2a00:%x::1\n", i, i, i, i, i+1)
	}
	n := world(t, Options{}, "192.0.2.1 .\nsix. 3600 NS ns.six.\nns.six. 3600 AAAA 2a01::1\n"+zones.String()+data.String())
	n.servers[addr("192.0.2.2")] = answersAll
	six, route := 0, false
	n.unsent = func(a Action) Obstacle {
		if a.Server.Addr().Is6() {
			six++
			if !route {
				return NoRoute
			}
		}
		return NoObstacle
	}
	for i := range 40 {
		if a, _ := n.resolve(question(fmt.Sprintf("www.z%d.", i), wire.TypeA)); a.Failed {
			t.Fatalf("z%d: %s", i, a.EDEText)
		}
	}
	if six > servers.ShutAfter {
		t.Errorf("%d queries over IPv6, which has no route", six)
	}
	n.resolve(question("www.six.", wire.TypeA))
	n.servers[netip.MustParseAddrPort("[2a01::1]:53")], route = n.servers[addr("192.0.2.2")], true
	n.run(time.Duration(servers.BarredFor))
	if a, _ := n.resolve(question("later.six.", wire.TypeA)); a.Failed {
		t.Errorf("there is a route again: %s", a.EDEText)
	}
	n.idle()
}

// The only family there is is never left alone, whatever cannot be reached.
func TestLastFamilyIsNeverShut(t *testing.T) {
	for _, o := range []Options{{NoIPv6: true}, {}} {
		n := unroutable(t, "198.18.0.1")
		n.m.options.NoIPv6 = o.NoIPv6
		down := true
		n.unsent = func(a Action) Obstacle {
			if down || n.servers[a.Server] == nil {
				return NoRoute
			}
			return NoObstacle
		}
		for i := range 2 * servers.ShutAfter { // The host has no network at all.
			n.m.families.NoRoute(netip.AddrFrom4([4]byte{byte(i + 1)}), int64(n.now))
			n.m.families.NoRoute(netip.AddrFrom16([16]byte{0x20, 1, byte(i)}), int64(n.now))
			n.resolve(question("x.sound.", wire.TypeA))
		}
		down = false
		n.run(time.Duration(servers.BarredFor))
		if a, _ := n.resolve(question("y.sound.", wire.TypeA)); a.Failed {
			t.Errorf("%+v: %s", o, a.EDEText)
		}
		n.idle()
	}
}

// A limit of ours is no failure of a server: another one is asked at once, or the same after a pause.
func TestOwnLimitsAreNotTheServers(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.servers[one] = answering(nil, good)
	n.servers[two] = n.servers[one]
	busy := map[netip.AddrPort]int{one: 4}
	n.unsent = func(a Action) Obstacle {
		if busy[a.Server]--; busy[a.Server] >= 0 {
			return Busy
		}
		return NoObstacle
	}
	for range 8 {
		began := n.now
		if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed || n.now-began > 10*time.Millisecond {
			t.Fatalf("with another server: %s after %v", a.EDEText, n.now-began)
		}
	}
	busy[one], busy[two] = 10, 10
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
		t.Errorf("all were busy for a while: %s", a.EDEText)
	}
	busy[one], busy[two] = 1e6, 1e6
	before := n.m.Stats().Sent
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); !a.Failed || n.m.Stats().Sent-before > maxQueries {
		t.Errorf("all were busy for good: %+v after %d tries", a, n.m.Stats().Sent-before)
	}
	for _, u := range n.m.Upstreams() {
		if u.State == "down" || u.Timeouts != 0 || len(u.Failures) != 0 {
			t.Errorf("%+v", u)
		}
	}
	n.idle()
}
