package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/netio/vethtest"
)

// list returns the server's queues of a kind, "rx" or "tx".
func (v *veth) list(t testing.TB, kind string) []string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", v.server, "sh", "-c", "ls -d /sys/class/net/"+vethServer+"/queues/"+kind+"-*").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// What happens to an interface does not take the program off it, nor the AF_XDP sockets off their queues, and what the kernel
// refuses while they are there changes nothing.
func TestRootLinkChanges(t *testing.T) {
	w := newXSKLab(t, 4)
	// IPv6 addresses go with a link that is down, by default.
	if err := vethtest.Change(w.server, "sh", "-c", "cd /proc/sys/net/ipv6/conf/"+vethServer+" && echo 1 >keep_addr_on_down && echo 0 >accept_dad"); err != nil {
		t.Fatal(err)
	}
	w.serve(t, "[cpu]\nshards = 2\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"")
	s := tierSetup{"native", "xsk", "flow"}
	counts := w.tiers(t, s)
	set := func(tool, args string) string { return tool + " " + vethServer + " " + args }
	for _, lines := range [][]string{
		{set("ip link set dev", "down"), set("ip link set dev", "up")},
		{set("ethtool -K", "rx off"), set("ethtool -K", "tx off"), set("ethtool -K", "tso off gso off sg off"), set("ethtool -K", "gro off"), set("ethtool -K", "lro on")},
		{set("ethtool -K", "gro on"), set("ethtool -K", "rx on"), set("ethtool -K", "tx on tso on gso on sg on"), set("ethtool -K", "rx-udp-gro-forwarding on"), set("ethtool -K", "rx-gro-list on")},
		{set("ethtool -L", "combined 1"), set("ethtool -L", "rx 2"), set("ethtool -G", "rx 128")},
		{set("ip link set dev", "mtu 1280")}, {set("ip link set dev", "mtu 9000")}, {set("ip link set dev", "mtu 1500")},
	} {
		for _, line := range lines {
			err := vethtest.Change(w.server, strings.Fields(line)...)
			t.Logf("%s: %v", line, err)
			// Drivers may refuse most of it, but not these.
			for _, always := range []string{" down", " up", " gro o", "mtu 1280", "mtu 1500"} {
				if err != nil && strings.Contains(line, always) {
					t.Errorf("%s: %v", line, err)
				}
			}
			if _, mtu, ok := strings.Cut(line, "mtu "); ok && err == nil {
				until(t, "the MTU to be seen", func() bool { return strings.Contains(w.log.String(), " now="+mtu) })
			}
		}
		const queries = 4
		got := w.since(t, s, &counts, func() {
			for i := range queries {
				w.query(t, []string{vethIPv4, vethIPv6}[i%2], question("www.zone.", dns.TypeA))
				w.query(t, vethIPv4, question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
				w.query(t, vethIPv4, question("big1300.zone.", dns.TypeTXT).SetEdns0(1400, false)) // in fragments, beyond the MTU
			}
		})
		t.Logf("of %d queries %v", 3*queries, got)
		if got.kernel < queries || got.raw < 2*queries {
			t.Errorf("after %q the kernel answered %d queries for a hot name, AF_XDP brought %d others", lines, got.kernel, got.raw)
		}
	}
}

// Queues that come while the program is attached, and such as have no queue to send on, are served by kernel sockets.
func TestRootQueuesWithoutSockets(t *testing.T) {
	w := newXSKLab(t, 4)
	few, want := []string{"ethtool", "-L", vethServer, "tx", "2"}, 2
	if *cards != "" {
		// virtio_net gives each CPU another queue, for what the program sends. It receives as well; an AF_XDP socket on it
		// would send beside the program, without a lock.
		few, want = []string{"ethtool", "-L", vethServer, "combined", "1"}, 1
	}
	if err := vethtest.Change(w.server, few...); err != nil {
		t.Fatal(err)
	}
	w.serve(t, "[cpu]\nshards = 3\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"")
	if rx, tx := len(w.list(t, "rx")), len(w.list(t, "tx")); rx != want+2 || tx != want {
		t.Fatalf("%d queues receive, %d send", rx, tx)
	}
	s := tierSetup{"native", "xsk", "flow"}
	counts := w.tiers(t, s)
	got := w.since(t, s, &counts, func() {
		for i := range 4 * tierQueries {
			w.query(t, []string{vethIPv4, vethIPv6}[i%2], question("www.zone.", dns.TypeA))
			w.query(t, []string{vethIPv4, vethIPv6}[i%2], question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
		}
	})
	t.Logf("of %d queries %v", 8*tierQueries, got)
	if got.kernel < 4*tierQueries || got.raw == 0 || got.raw >= got.shards() {
		t.Error("the kernel, AF_XDP and kernel sockets were to answer, the latter what comes by two of the queues")
	}
	for _, queues := range w.queues(t) {
		for _, q := range queues {
			if q.Queue >= want || q.Sent != q.Received {
				t.Errorf("%+v", q)
			}
		}
	}
	var status control.Status
	w.ctlJSON(&status, "status")
	if len(status.Warnings) != 1 || !strings.Contains(status.Warnings[0], fmt.Sprintf("kernel sockets take the queries of the receive queues from %d on", want)) {
		t.Errorf("warnings %q", status.Warnings)
	}
}

// Where Linux would crash the program does not run in the driver of virtio_net, as is told in one line, and queries are
// answered all the same.
func TestExternalCrowdedCard(t *testing.T) {
	w := newXSKLab(t, 1)
	if err := vethtest.Change(w.server, "ethtool", "-L", vethServer, "combined", strconv.Itoa(runtime.NumCPU()+1)); err != nil {
		t.Fatal(err)
	}
	for mode, s := range map[string]tierSetup{"auto": {"generic", "xsk", "flow"}, "native": {"off", "mmsg", "flow"}} {
		w.serve(t, "[cpu]\nshards = 2\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \""+mode+"\"")
		counts := w.tiers(t, s)
		got := w.asked(t, s, &counts)
		t.Logf("xdp.mode %q: %v", mode, got)
		if got.shards() < tierQueries || s.kernel() && (got.kernel < tierQueries || got.raw < tierQueries) {
			t.Errorf("xdp.mode %q: all were to be answered, in generic mode if that is allowed", mode)
		}
		var status control.Status
		w.ctlJSON(&status, "status")
		if len(status.Warnings) != 1 || !strings.Contains(status.Warnings[0], "Linux would crash") || strings.Contains(status.Warnings[0], "\n") {
			t.Errorf("xdp.mode %q: warnings %q", mode, status.Warnings)
		}
		w.stop(syscall.SIGTERM)
	}
}
