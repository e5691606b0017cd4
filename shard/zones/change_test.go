package zones

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"heimdall/core/control"
	"heimdall/core/dname"
)

// A change loads what is new and what has other files, tells which zones these are, and is seen by nobody until it is applied.
func TestChangeLoadsWhatDiffers(t *testing.T) {
	folder := t.TempDir()
	zone := func(name string) Zone {
		return Zone{Name: append(append(dname.Name{byte(len(name))}, name...), 0), File: filepath.Join(folder, name)}
	}
	z := New(Options{Nodes: []int{0}, Log: slog.New(slog.DiscardHandler), Publish: func(_ context.Context, settled func()) error { settled(); return nil }})
	for i, name := range []string{"one", "two", "three"} {
		writeVersion(t, filepath.Join(folder, name), i+1)
	}
	if err := z.Configure(t.Context(), Given{Zones: []Zone{zone("one"), zone("two")}}); err != nil {
		t.Fatal(err)
	}
	before := z.Set(0)
	writeVersion(t, zone("two").File, 9)
	next := Given{Zones: []Zone{zone("two"), zone("three"), zone("one")}}
	serials := func() (list []uint32) {
		for _, i := range z.List() {
			list = append(list, i.Serial)
		}
		return list
	}
	for _, end := range []func(*Change){(*Change).Discard, func(c *Change) { c.Apply()() }} {
		c, err := z.Prepare(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Loaded(); !slices.Equal(got, []string{"three.", "two."}) {
			t.Errorf("loaded %q", got)
		}
		if z.Set(0) != before || !slices.Equal(serials(), []uint32{1, 2}) {
			t.Errorf("before the end of the change the serials are %v", serials())
		}
		end(c)
	}
	if z.Set(0) == before || !slices.Equal(serials(), []uint32{1, 3, 9}) {
		t.Errorf("the serials are %v", serials())
	}
	if c, err := z.Prepare(t.Context(), next); err != nil || len(c.Loaded()) != 0 {
		t.Errorf("without a difference: %v, %v", c.Loaded(), err)
	} else {
		c.Discard()
	}
}

// What is wrong with a zone is told with the place where the configuration has the key.
func TestZoneErrorsHaveTheirPlace(t *testing.T) {
	place := func(key string, err error) error { return errors.New("line 7, " + key + ": " + err.Error()) }
	missing := filepath.Join(t.TempDir(), "missing")
	for key, zone := range map[string]Zone{"file": {File: missing}, "include_folder": {File: filepath.Join(t.TempDir(), "zone"), IncludeFolder: missing}} {
		zone.Name, zone.Place = dname.Name("\x07example\x00"), place
		z := New(Options{Nodes: []int{0}, Log: slog.New(slog.DiscardHandler), Publish: func(_ context.Context, settled func()) error { settled(); return nil }})
		if err := z.Configure(t.Context(), Given{Zones: []Zone{zone}}); err != nil {
			t.Fatal(err)
		}
		infos := z.List()
		if infos[0].State != control.ZoneFailed || !strings.HasPrefix(infos[0].Problems[0], "line 7, "+key+": ") {
			t.Errorf("%s: %+v", key, infos)
		}
		if _, err := Check(t.Context(), []Zone{zone}); err == nil || !strings.HasPrefix(err.Error(), "line 7, "+key+": ") {
			t.Errorf("%s: Check says %v", key, err)
		}
	}
}
