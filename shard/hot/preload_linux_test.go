package hot

import (
	"fmt"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
	"heimdall/core/zone"
	"heimdall/ebpf"
)

// preloadAll has the visitor go through the zones, with room for so many answers, until it is done.
func (ti *tiers) preloadAll(t *testing.T, room int) (published int) {
	t.Helper()
	v := &ti.visitor
	v.preload = preload{generation: ti.program.Generation()}
	for range 1000 {
		v.next(room - published)
		v.lookUpNext(ti.engine.Zones, uint32(ti.now()/1e9))
		if v.preload.done {
			return published
		}
		v.prepare(0, func(*ebpf.Answer) bool { return false })
		n, err := ti.program.Publish(ti.program.Generation(), v.now, v.list)
		if err != nil {
			t.Fatal(err)
		}
		published += n
	}
	t.Fatal("the zones have no end")
	return 0
}

func testZone(t *testing.T, origin string, names int) *zone.Zone {
	t.Helper()
	b := zone.NewBuilder(dnametest.Name(origin), zone.Options{})
	add := func(owner string, typ wire.Type, rdata []byte) {
		if err := b.Add(dnametest.Name(owner), typ, wire.ClassIN, 300, rdata); err != nil {
			t.Fatal(err)
		}
	}
	add(origin, wire.TypeSOA, append(append(dnametest.Name("ns."+origin), dnametest.Name("host."+origin)...), make([]byte, 20)...))
	add(origin, wire.TypeNS, dnametest.Name("ns."+origin))
	for i := range names {
		add(fmt.Sprintf("h%d.%s", i, origin), wire.TypeA, []byte{192, 0, 2, byte(i)})
	}
	z, problems := b.Finish(func(size int) ([]byte, error) { return make([]byte, size), nil })
	if z == nil {
		t.Fatal(problems)
	}
	return z
}

// Zones are published before anyone asks, without and with DO, as long as a whole one has room; those that do not
// fit are passed over.
func TestRootPreload(t *testing.T) {
	for _, c := range []struct {
		room         int
		want         int // published
		small, large bool
	}{
		{4000, 2*(2+10) + 2*(2+1200), true, true},
		{1300, 2 * (2 + 10), true, false},
		{2000, 2*(2+10) + 2 + 1200, true, true}, // the second pass through the large zone has no room
		{5, 0, false, false},
	} {
		ti := newTiers(t, 1232)
		ti.engine.Zones = zone.NewSet([]*zone.Zone{testZone(t, "small.", 10), testZone(t, "large.", 1200)})
		if c.room == 1300 {
			ti.engine.Zones = zone.NewSet([]*zone.Zone{testZone(t, "small.", 10), testZone(t, "large.", 1300)})
		}
		if got := ti.preloadAll(t, c.room); got != c.want {
			t.Errorf("room for %d: published %d, want %d", c.room, got, c.want)
		}
		for name, want := range map[string]bool{"h3.small.": c.small, "h1111.large.": c.large} {
			q := wire.AppendQuery(nil, 1, 0, dnametest.Name(name), wire.TypeA, wire.ClassIN)
			if got := ti.try(t, q) != nil; got != want {
				t.Errorf("room for %d: %s answered in the kernel: %v, want %v", c.room, name, got, want)
			}
		}
	}
}

// Other zones in the middle begin it anew: a position in a zone that is gone is never used.
func TestRootPreloadOfChangedZones(t *testing.T) {
	ti := newTiers(t, 1232)
	v := &ti.visitor
	ti.engine.Zones = zone.NewSet([]*zone.Zone{testZone(t, "a.", 1500)})
	v.next(4000)
	v.lookUpNext(ti.engine.Zones, 1)
	if v.preload.done || !v.preload.begun {
		t.Fatalf("after one step: %+v", v.preload)
	}
	ti.engine.Zones = zone.NewSet([]*zone.Zone{testZone(t, "b.", 3)})
	v.next(4000)
	v.lookUpNext(ti.engine.Zones, 1)
	if len(v.found) != 5 {
		t.Errorf("found %d answers in the new zone, want 5", len(v.found))
	}
	ti.engine.Zones = nil
	v.lookUpNext(ti.engine.Zones, 1)
	if !v.preload.done {
		t.Error("without zones there is something left to do")
	}
}

// After a flush the answers of before are no reason not to publish the zones again.
func TestRootPreloadAfterFlush(t *testing.T) {
	ti := newTiers(t, 1232)
	ti.engine.Zones = zone.NewSet([]*zone.Zone{testZone(t, "a.", 1200)})
	const all = 2 * (2 + 1200)
	for range 3 {
		if got := ti.preloadAll(t, ti.program.Room()); got != all {
			t.Errorf("published %d, want %d", got, all)
		}
		if room := ti.program.Room(); room != 4096-all {
			t.Errorf("room for %d more, want %d", room, 4096-all)
		}
		if err := ti.program.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}
