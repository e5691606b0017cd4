package main

import (
	"context"
	"testing"

	"heimdall/core/control"
)

func (d *fakeDaemon) Diff(context.Context) (*control.ConfigDiff, error) {
	if d.seconds > 0 { // asked again
		return &control.ConfigDiff{Config: "c.toml", Files: []string{"c.toml", "d.toml"}}, d.err
	}
	return &control.ConfigDiff{
		Config: "c.toml", Files: []string{"c.toml", "d.toml"}, Zones: []string{"example."}, Warnings: []string{"d.toml:1: recursion.allow: everybody"},
		Changes: []control.ConfigChange{
			{Key: "cache.memory", Old: `"1GiB"`, New: `"2GiB"`, Place: "c.toml:7"},
			{Key: "cache.max_ttl", Old: `"24h"`, New: `"12h"`, Reload: true},
			{Key: `zone "old.example."`, Old: `"old.zone"`, Reload: true},
			{Key: `forward "."`, New: `["192.0.2.1:53"]`, Reload: true, Place: "d.toml:3"},
		},
	}, d.err
}

func (d *fakeDaemon) Explain(_ context.Context, a control.ExplainArgs) (*control.Explanation, error) {
	x := &control.Explanation{
		Name: a.Name, Type: a.Type, Client: "127.0.0.1", Transport: "UDP", Shard: 1, Outcome: control.OutcomeCache, Rcode: "NOERROR",
		Steps: []control.ExplainStep{
			{Step: "client", Verdict: "admitted", Why: "no rate is limited (limit.queries_per_second)"},
			{Step: "recursion", Verdict: "allowed", Why: "127.0.0.0/8 is in recursion.allow", Place: "c.toml:9"},
		},
		Answer: []string{"answer\twww.example. 5 IN TXT \"\x1b[2J\""},
		Todo:   []string{"nothing"},
	}
	if a.Client != "" {
		x.Client, x.Outcome, x.Rcode = a.Client, control.OutcomeError, "REFUSED"
	}
	return x, d.err
}

func (d *fakeDaemon) Tuned(context.Context, control.TunedArgs) (*control.Tuned, error) {
	return &control.Tuned{}, d.err
}

// The exit code of diff is that of diff(1).
func TestDiffOutput(t *testing.T) {
	for _, tt := range []struct {
		name, errOut string
		d            *fakeDaemon
		code         int
		args         []string
	}{
		{"diff", "", &fakeDaemon{}, 1, []string{"diff"}},
		{"diff-json", "", &fakeDaemon{}, 1, []string{"-json", "diff"}},
		{"diff-none", "", &fakeDaemon{seconds: 1}, 0, []string{"diff"}},
		{"diff-errors", "heimdallctl: it has errors\n  c.toml:3: wrong\n  to do: correct it\n",
			&fakeDaemon{err: &control.Error{Code: control.CodeInvalidConfig, Message: "it has errors", Hint: "correct it", Details: []string{"c.toml:3: wrong"}}},
			2, []string{"diff"}},
	} {
		code, out, errOut := runTool(start(t, tt.d), tt.args...)
		if code != tt.code || errOut != tt.errOut {
			t.Errorf("%s: exit code %d, error output %q", tt.name, code, errOut)
		}
		golden(t, tt.name, out)
	}
}

func TestExplainOutput(t *testing.T) {
	for _, tt := range []struct {
		name, errOut string
		code         int
		args         []string
	}{
		{"explain", "", 0, []string{"explain", "www.example.", "a"}},
		{"explain-json", "", 0, []string{"explain", "www.example.", "a", "-json"}},
		{"explain-refused", "heimdallctl: www.example. A gets REFUSED\n", 1, []string{"explain", "www.example.", "a", "-client", "192.0.2.1"}},
	} {
		code, out, errOut := runTool(start(t, &fakeDaemon{}), tt.args...)
		if code != tt.code || errOut != tt.errOut {
			t.Errorf("%s: exit code %d, error output %q", tt.name, code, errOut)
		}
		golden(t, tt.name, out)
	}
}
