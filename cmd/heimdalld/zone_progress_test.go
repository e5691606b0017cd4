package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// How far the load of a zone is, heimdallctl zones tells: in percent of its file, and in records. Meanwhile the old
// version is served, and so are the other zones.
func TestZoneProgress(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "zone", versionText(1))
	d := start(t, authoritativeOnly+zoneTable("example.org.", path)+zoneFile(t, "other.example.", versionText(7)))
	var half strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&half, "n%d A 10.%d.%d.%d\n", i, i>>16, i>>8&255, i&255)
	}
	// In the middle are some millions of records that are read and not kept.
	long := strings.Repeat("$GENERATE 0-65535 $.elsewhere.test. A 192.0.2.1\n", 200)
	replaceZone(t, path, versionText(2)+half.String()+long+"$ORIGIN more.example.org.\n"+half.String())
	ended := make(chan string)
	go func() {
		out, code := d.ctl("zone", "reload", "example.org.")
		ended <- fmt.Sprintf("exit code %d: %s", code, out)
	}()
	var z zoneInfo
	until(t, "the load to be half way", func() bool {
		z = zoneInfos(d)["example.org."]
		return z.State == "loading" && z.Progress != "0 records"
	})
	var percent, records int
	if n, _ := fmt.Sscanf(z.Progress, "%d %%, %d records", &percent, &records); n != 2 || percent < 1 || percent > 99 || records == 0 || z.Serial != 1 {
		t.Errorf("%+v", z)
	}
	if out, _ := d.ctl("zones"); !strings.Contains(out, "loading, ") || !strings.Contains(out, " records") {
		t.Errorf("zones: %s", out)
	}
	if !servesVersion(d, "example.org.", 1) || !servesVersion(d, "other.example.", 7) {
		t.Error("a version is not served while the next is loaded")
	}
	if out := <-ended; !strings.HasPrefix(out, "exit code 0: ") {
		t.Error(out)
	}
	if z := zoneInfos(d)["example.org."]; z.State != "serving" || z.Progress != "" || z.Records != 20_004 || !servesVersion(d, "example.org.", 2) {
		t.Errorf("%+v", z)
	}
	if r := d.ask("n9999.more.example.org.", dns.TypeA); len(r.Answer) != 1 {
		t.Errorf("%v", r)
	}
}
