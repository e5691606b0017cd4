package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// What happens to an interface does not take the program off it, nor the AF_XDP sockets off their queues.
func TestRootLinkChanges(t *testing.T) {
	w := newXSKLab(t, 1)
	w.serve(t, "[cpu]\nshards = 1\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"")
	s := tierSetup{"native", "xsk", "flow"}
	counts := w.tiers(t, s)
	for _, line := range []string{"", "link set dev " + vethServer + " down", "link set dev " + vethServer + " up", "link set dev " + vethServer + " mtu 1400", "link set dev " + vethServer + " mtu 1500"} {
		if line != "" {
			if out, err := exec.Command("ip", append([]string{"-n", w.server}, strings.Fields(line)...)...).CombinedOutput(); err != nil {
				t.Fatalf("ip %s: %v: %s", line, err, out)
			}
		}
		if strings.HasSuffix(line, "down") {
			continue
		}
		got := w.since(t, s, &counts, func() {
			for range tierQueries {
				w.query(t, vethIPv4, question("www.zone.", dns.TypeA))
				w.query(t, vethIPv4, question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
			}
		})
		t.Logf("%s: of %d queries %v", line, 2*tierQueries, got)
		if got.kernel < tierQueries || got.raw < tierQueries {
			t.Errorf("after %q the kernel answered %d queries for a hot name, AF_XDP brought %d others", line, got.kernel, got.raw)
		}
	}
}
