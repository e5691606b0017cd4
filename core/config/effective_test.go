package config

import (
	"reflect"
	"slices"
	"testing"
)

// other is the default configuration with another value of a key.
func other(t *testing.T, k *key) *Config {
	t.Helper()
	c := Default()
	var candidates []any
	switch v := k.Default.(type) {
	case bool:
		candidates = []any{!v}
	case int64:
		candidates = []any{k.Min, k.Max}
	case string:
		for _, v := range append(slices.Clone(k.Values), "1ms", "1s", "4s", "2MiB", "1KiB", "2026-01-31T12:00:00Z", "0", "127.0.0.1:1") {
			candidates = append(candidates, v)
		}
	case []any:
		candidates = []any{[]any{"192.0.2.1:1"}, []any{"192.0.2.0/24"}, []any{"192.0.2.1"}, []any{"x"}}
		if k.Values != nil {
			candidates = []any{[]any{k.Values[0]}}
		}
	}
	if !slices.ContainsFunc(candidates, func(v any) bool { return !reflect.DeepEqual(v, k.Default) && k.set(c, v) == nil }) {
		t.Fatalf("%s: no value but the default", k.Name)
	}
	return c
}

// Of each key what is in force is the new value or the old one, as the key table has it, and nothing else changes.
func TestEffective(t *testing.T) {
	for i := range keys {
		k := &keys[i]
		now, next := Default(), other(t, k)
		want, wait := next, []string(nil)
		if !k.Reload {
			want, wait = now, []string{k.Name}
		}
		if c, waiting := Effective(now, next); len(Diff(c, want)) != 0 || !slices.Equal(waiting, wait) {
			t.Errorf("%s: %v, waiting %v", k.Name, Diff(c, want), waiting)
		}
		if c, waiting := Effective(now, next, k.Name); len(Diff(c, now)) != 0 || !slices.Equal(waiting, []string{k.Name}) {
			t.Errorf("%s, fixed: %v, waiting %v", k.Name, Diff(c, now), waiting)
		}
		if len(Diff(now, Default()))+len(Diff(next, other(t, k))) != 0 {
			t.Errorf("%s: an argument was changed", k.Name)
		}
	}
	for _, k := range slices.Concat(upstreamKeys, zoneKeys) {
		if !k.Reload {
			t.Errorf("%s of a table waits for a restart, which Effective does not know of", k.Name)
		}
	}
}

// What waits goes on waiting from one reload to the next, and no more when the file has the old value again.
func TestEffectiveAgain(t *testing.T) {
	started, next := Default(), Default()
	next.Cache.Memory, next.Cache.Prefetch = 8*mib, 20
	next.Zone = []Zone{{Name: []byte("\x01z\x00"), File: "z"}}
	now, waiting := Effective(started, next)
	if !slices.Equal(waiting, []string{"cache.memory"}) || now.Cache.Memory != started.Cache.Memory || now.Cache.Prefetch != 20 || len(now.Zone) != 1 {
		t.Errorf("%+v, waiting %v", now, waiting)
	}
	if again, waiting := Effective(now, next); !slices.Equal(waiting, []string{"cache.memory"}) || len(Diff(now, again)) != 0 {
		t.Errorf("%v, waiting %v", Diff(now, again), waiting)
	}
	if back, waiting := Effective(now, Default()); waiting != nil || len(Diff(started, back)) != 0 {
		t.Errorf("%v, waiting %v", Diff(started, back), waiting)
	}
}
