package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// zoneList is what heimdallctl -json zones and zone reload print.
type zoneList struct{ Zones []zoneInfo }

type zoneInfo struct {
	Name, File, State string
	Serial            uint32
	Records, Names    int
	MemoryBytes       int     `json:"memory_bytes"`
	LoadSeconds       float64 `json:"load_seconds"`
	Loaded            string
	Signed            bool
	ZONEMD, Progress  string
	Problems          []string
}

// versionText is a small zone whose serial is also in an address.
func versionText(serial int) string {
	return fmt.Sprintf("$TTL 60\n@ SOA ns host %d 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nwww A 10.0.0.%d\n", serial, serial)
}

// servesVersion tells whether a zone is answered from the given version; 0: not at all.
func servesVersion(d *daemon, zone string, version int) bool {
	soa, www := d.ask(zone, dns.TypeSOA), d.ask("www."+zone, dns.TypeA)
	if version == 0 {
		return soa.Rcode == dns.RcodeRefused && www.Rcode == dns.RcodeRefused
	}
	return len(soa.Answer) == 1 && soa.Answer[0].(*dns.SOA).Serial == uint32(version) &&
		len(www.Answer) == 1 && www.Answer[0].(*dns.A).A.String() == fmt.Sprintf("10.0.0.%d", version)
}

// A new version is served when zone reload returns; the others stay what they are.
func TestZoneReload(t *testing.T) {
	t.Parallel()
	one, two := writeFile(t, "one", versionText(1)), writeFile(t, "two", versionText(1))
	d := start(t, authoritativeOnly+zoneTable("one.example.", one)+zoneTable("two.example.", two))
	replaceZone(t, one, versionText(2))
	replaceZone(t, two, versionText(2))
	if !servesVersion(d, "one.example.", 1) || !servesVersion(d, "two.example.", 1) {
		t.Error("a new version without a reload")
	}
	var z zoneList
	d.ctlJSON(&z, "zone", "reload", "ONE.example")
	if len(z.Zones) != 1 || z.Zones[0].Name != "one.example." || z.Zones[0].Serial != 2 || z.Zones[0].State != "serving" || z.Zones[0].File != one {
		t.Errorf("%+v", z)
	}
	if !servesVersion(d, "one.example.", 2) || !servesVersion(d, "two.example.", 1) {
		t.Error("after the reload of one zone")
	}
	out, code := d.ctl("zone", "reload", "--all")
	if code != 0 || !strings.Contains(out, "one.example.: serial 2, 4 records") || !strings.Contains(out, "two.example.: serial 2, 4 records") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if !servesVersion(d, "one.example.", 2) || !servesVersion(d, "two.example.", 2) {
		t.Error("after the reload of all zones")
	}
	// Serials may go back: it is the operator's file.
	replaceZone(t, one, versionText(1))
	if out, code := d.ctl("zone", "reload", "one.example."); code != 0 || !servesVersion(d, "one.example.", 1) {
		t.Errorf("back to serial 1: exit code %d: %s", code, out)
	}
	z = zoneList{}
	d.ctlJSON(&z, "zones")
	if len(z.Zones) != 2 || z.Zones[0].Name != "one.example." || z.Zones[0].Serial != 1 || z.Zones[1].Serial != 2 {
		t.Fatalf("%+v", z)
	}
	for _, zone := range z.Zones {
		if zone.Records != 4 || zone.Names != 3 || zone.MemoryBytes <= 0 || zone.LoadSeconds <= 0 || zone.Loaded == "" || zone.Signed || zone.ZONEMD != "absent" || len(zone.Problems) != 0 {
			t.Errorf("%+v", zone)
		}
	}
	for _, name := range []string{"example.", "www.one.example.", "three.example."} {
		if out, code := d.ctl("zone", "reload", name); code != 1 || !strings.Contains(out, "no zone "+name) {
			t.Errorf("reload of %s: exit code %d: %s", name, code, out)
		}
	}
}

// A bad version is not taken: the old one is served on, and the operator is told why.
func TestZoneReloadKeepsTheOldVersion(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "zone", versionText(1))
	d := start(t, authoritativeOnly+zoneTable("example.org.", path))
	good := versionText(2)
	for name, c := range map[string]struct{ text, why string }{
		"bad address":        {good + "bad A 192.0.2\n", path + ":6: A: want an IPv4 address"},
		"unknown type":       {good + "bad NOSUCHTYPE x\n", path + ":6: "},
		"open parenthesis":   {good + "bad TXT ( a\n", path + ":"},
		"unknown directive":  {good + "$NOSUCH x\n", path + ":6: "},
		"no SOA":             {"@ 60 NS ns\nns 60 A 192.0.2.1\n", "no SOA"},
		"CNAME beside other": {good + "www CNAME ns\n", "www.example.org. CNAME"},
		"second SOA":         {good + "@ SOA ns host 3 2 3 4 5\n", "SOA"},
		"empty":              {"", "no SOA"},
	} {
		replaceZone(t, path, c.text)
		out, code := d.ctl("zone", "reload", "example.org.")
		if code != 1 || !strings.Contains(out, "example.org. was not loaded: serial 1 is still served") || !strings.Contains(out, c.why) {
			t.Errorf("%s: exit code %d, want 1 and %q:\n%s", name, code, c.why, out)
		}
		if !servesVersion(d, "example.org.", 1) {
			t.Errorf("%s: the old version is not served", name)
		}
		if out, code := d.ctl("zones"); code != 0 || !strings.Contains(out, "failed, old version served") || !strings.Contains(out, c.why) {
			t.Errorf("%s: zones: exit code %d:\n%s", name, code, out)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if out, code := d.ctl("zone", "reload", "--all"); code != 1 || !strings.Contains(out, "no such file") || !servesVersion(d, "example.org.", 1) {
		t.Errorf("no file: exit code %d: %s", code, out)
	}
	// What is odd but can be served is, with a warning.
	replaceZone(t, path, good+"www.example.com. A 192.0.2.1\n")
	if out, code := d.ctl("zone", "reload", "--all"); code != 0 || !servesVersion(d, "example.org.", 2) || !strings.Contains(out, "warning: "+path+":6: www.example.com. A: not in the zone") {
		t.Errorf("a version with a warning: exit code %d: %s", code, out)
	}
	replaceZone(t, path, versionText(3))
	if out, code := d.ctl("zone", "reload", "--all"); code != 0 || !servesVersion(d, "example.org.", 3) || strings.Contains(out, "warning") {
		t.Errorf("a good version again: exit code %d: %s", code, out)
	}
	var z zoneList
	if d.ctlJSON(&z, "zones"); len(z.Zones) != 1 || z.Zones[0].State != "serving" || len(z.Zones[0].Problems) != 0 {
		t.Errorf("%+v", z)
	}
}

// SIGHUP takes up zones that the configuration has now, zones whose files are others now, and lets go of what
// it no longer has. A new zone that cannot be loaded does not hold up the others.
func TestZonesComeAndGo(t *testing.T) {
	t.Parallel()
	stays, goes, moves := writeFile(t, "stays", versionText(1)), writeFile(t, "goes", versionText(1)), writeFile(t, "moves", versionText(1))
	d := start(t, authoritativeOnly+zoneTable("stays.example.", stays)+zoneTable("goes.example.", goes)+zoneTable("moves.example.", moves))
	hangup := func() {
		t.Helper()
		before := reloads(d)
		d.cmd.Process.Signal(syscall.SIGHUP)
		until(t, "the end of the reload", func() bool { return reloads(d) > before })
	}
	next := authoritativeOnly + zoneTable("stays.example.", stays) + zoneTable("moves.example.", writeFile(t, "moved", versionText(2))) +
		zoneTable("comes.example.", writeFile(t, "comes", versionText(3)))
	d.write(next + zoneTable("bad.example.", writeFile(t, "bad", "@ 60 A 192.0.2\n")))
	hangup()
	if !notReady(d, "bad.example.") || !servesVersion(d, "moves.example.", 2) || !servesVersion(d, "goes.example.", 0) {
		t.Error("after a reload with a new zone that cannot be loaded")
	}
	d.write(next)
	hangup()
	if !servesVersion(d, "bad.example.", 0) {
		t.Error("a zone that could not be loaded stays when it is configured no more")
	}
	for zone, version := range map[string]int{"stays.example.": 1, "goes.example.": 0, "moves.example.": 2, "comes.example.": 3} {
		if !servesVersion(d, zone, version) {
			t.Errorf("%s is not served in version %d", zone, version)
		}
	}
	var z zoneList
	d.ctlJSON(&z, "zones")
	var got []string
	for _, zone := range z.Zones {
		got = append(got, fmt.Sprint(zone.Name, zone.State, zone.Serial))
	}
	if want := "[comes.example.serving3 moves.example.serving2 stays.example.serving1]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
	d.write(authoritativeOnly)
	hangup()
	if !servesVersion(d, "stays.example.", 0) {
		t.Error("zones are served that are no longer there")
	}
	if out, code := d.ctl("zones"); code != 0 || out != "no zones are configured\n" {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// What zone lookup shows is what clients get.
func TestZoneLookup(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+allZones(t))
	for _, want := range zoneAnswers {
		if want.qtype == dns.TypeAXFR {
			continue
		}
		var l struct {
			Zone, Rcode                   string
			Flags                         []string
			Answer, Authority, Additional []string
		}
		if want.rcode == dns.RcodeRefused {
			if out, code := d.ctl("zone", "lookup", want.name, dns.Type(want.qtype).String()); code != 1 || !strings.Contains(out, want.name+" is in none of the zones") {
				t.Errorf("%s: exit code %d: %s", want.name, code, out)
			}
			continue
		}
		d.ctlJSON(&l, "zone", "lookup", want.name, dns.Type(want.qtype).String())
		r := &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.StringToRcode[l.Rcode], Authoritative: len(l.Flags) == 1 && l.Flags[0] == "AA"}}
		for i, section := range []*[]dns.RR{&r.Answer, &r.Ns, &r.Extra} {
			for _, text := range [][]string{l.Answer, l.Authority, l.Additional}[i] {
				*section = append(*section, record("%s", text))
			}
		}
		want.check(t, r)
		if l.Zone == "" {
			t.Errorf("%s: no zone", want.name)
		}
	}
	if out, code := d.ctl("zone", "lookup", "WWW.example.org", "txt", "--do"); code != 0 || !strings.Contains(out, "www.example.org. TXT in zone example.org.: NOERROR AA\nanswer\n") || !strings.Contains(out, `"hello"`) {
		t.Errorf("exit code %d: %s", code, out)
	}
	for _, args := range [][]string{{"a..b", "A"}, {"www.example.org", "NOSUCHTYPE"}, {"example.org", "AXFR"}} {
		if out, code := d.ctl(append([]string{"zone", "lookup"}, args...)...); code != 1 || !strings.Contains(out, args[0]) && !strings.Contains(out, args[1]) {
			t.Errorf("%v: exit code %d: %s", args, code, out)
		}
	}
}

// -check finds what is wrong with zone files, with file and line.
func TestCheckFindsBadZones(t *testing.T) {
	t.Parallel()
	config := func(zones string) string {
		return writeFile(t, "config.toml", "[server]\nlisten = [\"127.0.0.1:1053\"]\n[recursion]\nenabled = false\n"+zones)
	}
	broken := writeFile(t, "broken", "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2\n")
	conflict := writeFile(t, "conflict", versionText(1)+"www CNAME ns\n")
	noGlue := writeFile(t, "noglue", "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\n")
	missing := filepath.Join(t.TempDir(), "missing")
	bad := config(zoneTable("broken.example.", broken) + zoneTable("conflict.example.", conflict) + zoneTable("missing.example.", missing) + zoneTable("noglue.example.", noGlue))
	out, code := runDaemon(t, "-check", "-config", bad)
	for _, want := range []string{broken + ":4: A: want an IPv4 address", conflict + ":6: www.conflict.example. CNAME: CNAME and", bad + ":16: zone[2].file: open zone missing.example.: open " + missing,
		"warning: zone noglue.example.: " + noGlue + ":3: noglue.example. NS: no address of the name server ns.noglue.example."} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, want %q:\n%s", code, want, out)
		}
	}
	if out, code := runDaemon(t, "-check", "-config", config(zoneTable("noglue.example.", noGlue))); code != 0 || !strings.Contains(out, "ns.noglue.example.") || !strings.Contains(out, "good") {
		t.Errorf("warnings only: exit code %d:\n%s", code, out)
	}
	if out, code := runDaemon(t, "-check", "-config", config(zoneFile(t, "good.example.", versionText(1)))); code != 0 || strings.Contains(out, "warning: zone") {
		t.Errorf("a good zone: exit code %d:\n%s", code, out)
	}
}
