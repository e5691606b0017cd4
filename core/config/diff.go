package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"heimdall/core/dname"
)

// Change is a key whose value differs between two configurations.
type Change struct {
	Key      string // "cache.memory"; `forward "corp.example."` for a table of an array
	Old, New string // as they stand in a file; empty for a table that was added or removed
	Reload   bool   // a reload applies it; false: a restart does
	Path     string // in the new configuration, for Place; empty: a table that was removed
}

// Diff returns what differs between two configurations, in the order of the key table, tables of arrays
// last.
func Diff(old, new *Config) []Change {
	var changes []Change
	for i := range keys {
		k := &keys[i]
		a, b := format(k.field(old)), format(k.field(new))
		if a != b {
			changes = append(changes, Change{k.Name, a, b, k.Reload, k.Name})
		}
	}
	changes = append(changes, diffTables("forward", serversByZone(old.Forward), serversByZone(new.Forward))...)
	changes = append(changes, diffTables("stub", serversByZone(old.Stub), serversByZone(new.Stub))...)
	return append(changes, diffTables("zone", filesByName(old.Zone), filesByName(new.Zone))...)
}

// entry is a table of an array: what tells it from the others, and its other value.
type entry struct {
	name  dname.Name
	value string
	at    int // in the array
}

func serversByZone(upstreams []Upstream) (all []entry) {
	for i := range upstreams {
		all = append(all, entry{upstreams[i].Zone, format(&upstreams[i].Servers), i})
	}
	return sortEntries(all)
}

func filesByName(zones []Zone) (all []entry) {
	for i := range zones {
		value := format(&zones[i].File)
		if zones[i].IncludeFolder != "" {
			value += ", include_folder = " + format(&zones[i].IncludeFolder)
		}
		all = append(all, entry{zones[i].Name, value, i})
	}
	return sortEntries(all)
}

func sortEntries(all []entry) []entry {
	slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.name, b.name) })
	return all
}

// diffTables merges two sorted lists.
func diffTables(array string, old, new []entry) (changes []Change) {
	add := func(name dname.Name, from, to, path string) {
		if from != to {
			changes = append(changes, Change{fmt.Sprintf("%s %q", array, name), from, to, true, path})
		}
	}
	for len(old) > 0 || len(new) > 0 {
		order := 0
		switch {
		case len(old) == 0:
			order = 1
		case len(new) == 0:
			order = -1
		default:
			order = bytes.Compare(old[0].name, new[0].name)
		}
		switch {
		case order < 0:
			add(old[0].name, old[0].value, "", "")
			old = old[1:]
		case order > 0:
			add(new[0].name, "", new[0].value, Element(array, new[0].at))
			new = new[1:]
		default:
			add(old[0].name, old[0].value, new[0].value, Element(array, new[0].at))
			old, new = old[1:], new[1:]
		}
	}
	return changes
}

// format returns the value that a pointer to a field points to, as it stands in a file.
func format(field any) string {
	switch v := field.(type) {
	case *string:
		return fmt.Sprintf("%q", *v)
	case *time.Duration:
		return fmt.Sprintf("%q", FormatDuration(*v))
	case *time.Time:
		if v.IsZero() {
			return `""`
		}
		return fmt.Sprintf("%q", v.UTC().Format(time.RFC3339Nano))
	case *Shards, *CPUs, *bool, *int:
		return fmt.Sprint(reflect.ValueOf(v).Elem())
	}
	v := reflect.ValueOf(field).Elem()
	if v.Kind() != reflect.Slice || v.Type() == reflect.TypeFor[dname.Name]() {
		if v.IsZero() {
			return `""` // no address
		}
		return fmt.Sprintf("%q", fmt.Sprint(v.Interface()))
	}
	var list []string
	for i := range v.Len() {
		list = append(list, fmt.Sprintf("%q", fmt.Sprint(v.Index(i).Interface())))
	}
	return "[" + strings.Join(list, ", ") + "]"
}
