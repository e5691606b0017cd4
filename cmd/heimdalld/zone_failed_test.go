package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// notReady tells whether the names of a zone get SERVFAIL with the extended error Not Ready (RFC 8914, section
// 4.15), and neither AA nor records.
func notReady(d *daemon, zone string) bool {
	d.t.Helper()
	for _, name := range []string{zone, "www." + zone, "a.b.c." + zone} {
		q := question(name, dns.TypeA)
		q.SetEdns0(1232, false)
		for _, network := range []string{"udp", "tcp"} {
			r := d.exchange(q, network)
			opt := r.IsEdns0()
			if r.Rcode != dns.RcodeServerFailure || r.Authoritative || len(r.Answer)+len(r.Ns) > 0 || opt == nil || len(opt.Option) != 1 {
				return false
			}
			if e, ok := opt.Option[0].(*dns.EDNS0_EDE); !ok || e.InfoCode != dns.ExtendedErrorCodeNotReady {
				return false
			}
		}
	}
	return true
}

// zoneInfos returns what heimdallctl zones prints, by name.
func zoneInfos(d *daemon) map[string]zoneInfo {
	d.t.Helper()
	var l zoneList
	d.ctlJSON(&l, "zones")
	infos := map[string]zoneInfo{}
	for _, z := range l.Zones {
		infos[z.Name] = z
	}
	return infos
}

// Zones whose files are bad when the daemon starts do not keep the others from being served. Their own names get
// SERVFAIL, and are never asked of other servers. A reload takes up what has been mended: of that zone, of all,
// or by signal, even if what was wrong was in a file that the zone's own includes.
func TestBadZonesAtStart(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	good, broken, including := writeFile(t, "good", versionText(1)), writeFile(t, "broken", "$TTL 60\n@ SOA ns host 1 2 3 4 5\nns A 192.0.2\n"), writeFile(t, "including", versionText(1)+"$INCLUDE part\n")
	missing, part := filepath.Join(t.TempDir(), "missing"), filepath.Join(filepath.Dir(including), "part")
	if err := os.WriteFile(part, []byte("part NOSUCHTYPE x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := start(t, forward(".", up)+zoneTable("good.example.", good)+zoneTable("broken.example.", broken)+zoneTable("missing.example.", missing)+
		zoneTable("including.example.", including)+zoneFile(t, "example.", "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nbroken NS ns.broken\nns.broken A 192.0.2.2\n"))
	bad := map[string]string{"broken.example.": broken + ":3: A: want an IPv4 address", "missing.example.": "no such file", "including.example.": "part:1: "}
	infos := zoneInfos(d)
	status, _ := d.ctl("status")
	for zone, why := range bad {
		if !notReady(d, zone) {
			t.Errorf("%s: %v", zone, d.ask(zone, dns.TypeSOA))
		}
		if z := infos[zone]; z.State != "failed" || z.Loaded != "" || len(z.Problems) == 0 || !strings.Contains(z.Problems[0], why) {
			t.Errorf("%+v, want %q", z, why)
		}
		if !strings.Contains(status, "zone "+zone+" was not loaded, its names get SERVFAIL: ") || !strings.Contains(d.log.String(), zone) {
			t.Errorf("%s is not in the status or in the log:\n%s", zone, status)
		}
		if out, code := d.ctl("zone", "reload", zone); code != 1 || !strings.Contains(out, why) {
			t.Errorf("reload of %s while nothing was mended: exit code %d: %s", zone, code, out)
		}
	}
	if !servesVersion(d, "good.example.", 1) || infos["good.example."].State != "serving" {
		t.Error("the good zone is not served")
	}
	if out, code := d.ctl("zone", "lookup", "www.broken.example.", "A"); code != 0 || !strings.Contains(out, "in zone broken.example.: SERVFAIL") {
		t.Errorf("zone lookup: exit code %d: %s", code, out)
	}
	stillRight(t, d, "elsewhere.test-upstream.net.")
	replaceZone(t, missing, versionText(3))
	if out, code := d.ctl("reload"); code != 0 || !servesVersion(d, "missing.example.", 3) || !strings.Contains(out, "broken.example.") {
		t.Errorf("exit code %d: %s", code, out)
	}
	replaceZone(t, broken, versionText(2))
	if out, code := d.ctl("zone", "reload", "broken.example."); code != 0 || !servesVersion(d, "broken.example.", 2) {
		t.Errorf("exit code %d: %s", code, out)
	}
	if err := os.WriteFile(part, []byte("part A 192.0.2.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := reloads(d)
	d.cmd.Process.Signal(syscall.SIGHUP)
	until(t, "the end of the reload", func() bool { return reloads(d) > before })
	if !servesVersion(d, "including.example.", 1) || len(d.ask("part.including.example.", dns.TypeA).Answer) != 1 {
		t.Error("a zone is not served although its part was mended")
	}
	for zone, z := range zoneInfos(d) {
		if z.State != "serving" || len(z.Problems) != 0 {
			t.Errorf("%s: %+v", zone, z)
		}
	}
	if status, _ := d.ctl("status"); strings.Contains(status, "was not loaded") {
		t.Errorf("the status still tells of bad zones:\n%s", status)
	}
	// A loaded zone whose next version is bad is another matter: the old one is served.
	replaceZone(t, broken, "@ 60 A 192.0.2\n")
	if out, code := d.ctl("reload"); code != 0 || !strings.Contains(out, "zone broken.example. was not loaded, its old version is served: ") || !servesVersion(d, "broken.example.", 2) {
		t.Errorf("exit code %d: %s", code, out)
	}
	for _, name := range []string{"broken.example.", "missing.example.", "including.example.", "www.broken.example."} {
		if n := up.Count(name); n != 0 {
			t.Errorf("%s was asked of another server %d times", name, n)
		}
	}
}
