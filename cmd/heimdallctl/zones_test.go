package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"heimdall/core/control"
)

// fakeZones is the part of fakeDaemon that has zones. The load of huge.example. goes on with every second
// look at the list.
type fakeZones struct {
	mu      sync.Mutex
	empty   bool
	looks   int
	reloads []control.ZoneReloadArgs
	lookups []control.ZoneLookupArgs
}

func served(name string, serial uint32) control.ZoneInfo {
	return control.ZoneInfo{
		Name: name, File: "/etc/heimdall/" + name + "zone", Serial: serial, Records: 1234567, Names: 1000000, MemoryBytes: 90 << 20,
		Loaded: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), LoadSeconds: 1.234, State: control.ZoneServing, ZONEMD: "absent",
	}
}

func (f *fakeZones) Zones(context.Context) (*control.ZoneList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.empty {
		return &control.ZoneList{Zones: []control.ZoneInfo{}}, nil
	}
	f.looks++
	bad, signed, old := control.ZoneInfo{Name: "bad.example.", File: "/etc/heimdall/bad.zone", State: control.ZoneFailed}, served("signed.example.", 4294967295), served("old.example.", 7)
	bad.Problems = []string{"bad.zone:3: A: want an IPv4 address", "bad.zone:9: \x1b[31mwant a type"}
	signed.Signed, signed.ZONEMD, signed.MemoryBytes, signed.LoadSeconds = true, "verified", 700, 0.00042
	signed.Problems = []string{"signed.zone: the signature over signed.example. SOA ends on 2026-05-05"}
	old.State, old.Problems = control.ZoneFailed, []string{"old.zone:1: no SOA record"}
	huge := control.ZoneInfo{Name: "huge.example.", File: "/huge", State: control.ZoneLoading, Progress: fmt.Sprintf("%d000000 records", min(f.looks+1, 4)/2)}
	return &control.ZoneList{Zones: []control.ZoneInfo{bad, served("example.", 2026050401), huge, old, signed}}, nil
}

func (f *fakeZones) ZoneReload(ctx context.Context, a control.ZoneReloadArgs) (*control.ZoneList, error) {
	f.mu.Lock()
	f.reloads = append(f.reloads, a)
	f.mu.Unlock()
	if a.Name == "huge.example." {
		for looks := 0; looks < 4; time.Sleep(time.Millisecond) {
			f.mu.Lock()
			looks = f.looks
			f.mu.Unlock()
		}
	}
	if a.Name != "" {
		return &control.ZoneList{Zones: []control.ZoneInfo{served(a.Name, 2026050402)}}, nil
	}
	l, err := f.Zones(ctx)
	l.Zones = slices.DeleteFunc(l.Zones, func(z control.ZoneInfo) bool { return z.State == control.ZoneLoading })
	return l, err
}

func (f *fakeZones) ZoneLookup(_ context.Context, a control.ZoneLookupArgs) (*control.ZoneLookup, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookups = append(f.lookups, a)
	l := &control.ZoneLookup{Name: a.Name, Type: a.Type, Flags: []string{}, Answer: []string{}, Authority: []string{}, Additional: []string{}}
	switch a.Name {
	case "www.example.":
		l.Zone, l.Rcode, l.Flags = "example.", "NOERROR", []string{"AA"}
		l.Answer = []string{"www.example.\t300\tIN\tA\t192.0.2.1", "www.example.\t300\tIN\tA\t192.0.2.2"}
		l.Additional = []string{"ns.example.\t300\tIN\tA\t192.0.2.53"}
	case "gone.example.":
		l.Zone, l.Rcode, l.Flags = "example.", "NXDOMAIN", []string{"AA"}
		l.Authority = []string{"example.\t60\tIN\tSOA\tns.example. host.example. 1 2 3 4 60"}
	}
	return l, nil
}

func TestNoZones(t *testing.T) {
	path := start(t, &fakeDaemon{fakeZones: fakeZones{empty: true}})
	if code, out, errOut := runTool(path, "zones"); code != exitOK || out != "no zones are configured\n" || errOut != "" {
		t.Errorf("exit code %d, output %q, error output %q", code, out, errOut)
	}
}

func TestZoneArguments(t *testing.T) {
	d := &fakeDaemon{}
	path := start(t, d)
	runTool(path, "zone", "reload", "example.")
	runTool(path, "zone", "reload", "-all")
	runTool(path, "zone", "lookup", "-do", "www.example.", "aaaa")
	runTool(path, "zone", "lookup", "www.example.", "TYPE1234")
	if want := []control.ZoneReloadArgs{{Name: "example."}, {}}; !slices.Equal(d.reloads, want) {
		t.Errorf("the daemon was asked to reload %+v, want %+v", d.reloads, want)
	}
	want := []control.ZoneLookupArgs{{Name: "www.example.", Type: "AAAA", DO: true}, {Name: "www.example.", Type: "TYPE1234"}}
	if !slices.Equal(d.lookups, want) {
		t.Errorf("the daemon was asked to look up %+v, want %+v", d.lookups, want)
	}
}

// TestZoneReloadFails: what was loaded is on standard output, what was not and why on the other; exit code 1.
func TestZoneReloadFails(t *testing.T) {
	path := start(t, &fakeDaemon{})
	code, out, errOut := runTool(path, "-timeout", "30s", "zone", "reload", "--all")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if i := strings.Index(errOut, "heimdallctl:"); i >= 0 {
		errOut = errOut[i:] // progress, if it took long enough, comes before
	}
	golden(t, "zone-reload-failed", out+errOut)
	code, out, errOut = runTool(path, "zone", "reload", "--all", "-json")
	if code != exitFailed || !strings.Contains(out, `"state": "failed"`) || strings.Contains(errOut, "heimdallctl:") {
		t.Errorf("-json: exit code %d, output %q, error output %q", code, out, errOut)
	}
}

// TestZoneReloadProgress: whoever waits is told how far it is, each state once.
func TestZoneReloadProgress(t *testing.T) {
	path := start(t, &fakeDaemon{})
	code, out, errOut := runTool(path, "zone", "reload", "huge.example.")
	if want := "huge.example.: loading, 1000000 records\nhuge.example.: loading, 2000000 records\n"; code != exitOK || errOut != want {
		t.Errorf("exit code %d, error output %q, want %q", code, errOut, want)
	}
	if !strings.HasPrefix(out, "huge.example.: serial 2026050402,") {
		t.Errorf("output %q", out)
	}
}

// TestZoneLookupOutside: exit code 1, and with -json still the data.
func TestZoneLookupOutside(t *testing.T) {
	path := start(t, &fakeDaemon{})
	code, out, errOut := runTool(path, "zone", "lookup", "www.elsewhere.", "A")
	if code != exitFailed || out != "" || !strings.Contains(errOut, "www.elsewhere. is in none of the zones") {
		t.Errorf("exit code %d, output %q, error output %q", code, out, errOut)
	}
	code, out, errOut = runTool(path, "-json", "zone", "lookup", "www.elsewhere.", "A")
	if code != exitFailed || !strings.Contains(out, `"zone": ""`) || errOut != "" {
		t.Errorf("-json: exit code %d, output %q, error output %q", code, out, errOut)
	}
}
