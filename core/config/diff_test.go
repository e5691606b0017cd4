package config

import (
	"reflect"
	"testing"
)

func TestDiff(t *testing.T) {
	load := func(text string) *Config {
		c, problems := Load("f", []byte(text))
		if problems != nil {
			t.Fatal(problems)
		}
		return c
	}
	old := load(`[cache]
memory = "1GiB"
prefetch = 5
[cpu]
shards = 2
[[forward]]
zone = "b."
servers = ["192.0.2.1"]
[[forward]]
zone = "a."
servers = ["192.0.2.1"]
[[zone]]
name = "z."
file = "z"
`)
	new := load(`[[zone]]
name = "z."
file = "y"
[[forward]]
zone = "a."
servers = ["192.0.2.1", "192.0.2.2:5353"]
[[forward]]
zone = "c."
servers = ["192.0.2.1"]
[cache]
memory = "2048MiB"
[cpu]
shards = "0-1"
[recursion]
allow = ["10.0.0.0/8"]
validation_time = "2026-01-31T12:00:00+01:00"
negative_trust_anchors = ["A."]
[admin]
metrics = "127.0.0.1:9153"
`)
	want := []Change{
		{"cpu.shards", "2", `"0-1"`, true, ""},
		{"cache.memory", `"1GiB"`, `"2GiB"`, false, ""},
		{"cache.prefetch", "5", "10", true, ""},
		{"recursion.validation_time", `""`, `"2026-01-31T11:00:00Z"`, false, ""},
		{"recursion.allow", `["127.0.0.0/8", "::1/128"]`, `["10.0.0.0/8"]`, true, ""},
		{"recursion.negative_trust_anchors", "[]", `["a."]`, true, ""},
		{"admin.metrics", `""`, `"127.0.0.1:9153"`, false, ""},
		{`forward "a."`, `["192.0.2.1:53"]`, `["192.0.2.1:53", "192.0.2.2:5353"]`, true, ""},
		{`forward "b."`, `["192.0.2.1:53"]`, "", true, ""},
		{`forward "c."`, "", `["192.0.2.1:53"]`, true, ""},
		{`zone "z."`, `"z"`, `"y"`, true, ""},
	}
	if got := Diff(old, new); got[1].Path != "cache.memory" || got[7].Path != "forward[0]" || got[8].Path != "" || got[9].Path != "forward[1]" || new.Place(got[9].Path) != "f:7" {
		t.Errorf("paths %v", got)
	}
	pathless := func(list []Change) []Change {
		for i := range list {
			list[i].Path = ""
		}
		return list
	}
	if got := pathless(Diff(old, new)); !reflect.DeepEqual(got, want) {
		t.Errorf("changes\n%v\nwant\n%v", got, want)
	}
	back := pathless(Diff(new, old))
	for i := range back {
		back[i].Old, back[i].New = back[i].New, back[i].Old
	}
	if !reflect.DeepEqual(back, want) {
		t.Errorf("changes back\n%v\nwant\n%v", back, want)
	}
	if got := Diff(old, old); got != nil {
		t.Errorf("changes to itself %v", got)
	}
}

// A change of any one key is seen.
func TestDiffSeesEveryKey(t *testing.T) {
	for i := range keys {
		k := &keys[i]
		c := other(t, k)
		if d := Diff(Default(), c); len(d) != 1 || d[0].Key != k.Name || d[0].Reload != k.Reload {
			t.Errorf("%s: changes %v", k.Name, d)
		}
	}
}
