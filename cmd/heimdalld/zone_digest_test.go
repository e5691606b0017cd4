package main

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A zone whose digest is wrong is not loaded: the version before is served, and where there is none its names get
// SERVFAIL. A digest that cannot be checked is a warning.
func TestZoneDigestFails(t *testing.T) {
	t.Parallel()
	// RFC 8976, appendix A.1.
	right := `example. 86400 IN SOA ns1.example. admin.example. 2018031900 1800 900 604800 86400
example. 86400 IN NS ns1.example.
example. 86400 IN NS ns2.example.
example. 86400 IN ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c
ns1.example. 3600 IN A 203.0.113.63
ns2.example. 3600 IN AAAA 2001:db8::63
`
	wrong := strings.Replace(right, "203.0.113.63", "203.0.113.64", 1)
	path := writeFile(t, "zone", wrong)
	toml := authoritativeOnly + zoneTable("example.", path)
	config := writeFile(t, "config.toml", "[server]\nlisten = [\"127.0.0.1:1053\"]\n"+toml)
	const fault = ":4: example. ZONEMD: the digest is not that of the zone"
	if out, code := runDaemon(t, "-check", "-config", config); code != 1 || !strings.Contains(out, path+fault) {
		t.Errorf("exit code %d: %s", code, out)
	}
	d := start(t, toml)
	if !notReady(d, "example.") {
		t.Error("without a version before, the names do not get SERVFAIL")
	}
	replaceZone(t, path, right)
	if out, code := d.ctl("reload"); code != 0 || zoneInfos(d)["example."].ZONEMD != "verified" {
		t.Errorf("exit code %d: %s", code, out)
	}
	replaceZone(t, path, wrong)
	if out, code := d.ctl("zone", "reload", "example."); code != 1 || !strings.Contains(out, fault) {
		t.Errorf("exit code %d: %s", code, out)
	}
	if r := d.ask("ns1.example.", dns.TypeA); len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "203.0.113.63" {
		t.Errorf("the version before is not served: %v", r)
	}
	replaceZone(t, path, strings.Replace(wrong, "ZONEMD 2018031900", "ZONEMD 2018031901", 1))
	if out, code := d.ctl("zone", "reload", "example."); code != 0 || !strings.Contains(out, "warning: "+path+":4: example. ZONEMD: no record with") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
