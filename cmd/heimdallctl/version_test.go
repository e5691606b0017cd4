package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// The version is there in both forms, without a daemon.
func TestVersion(t *testing.T) {
	var out bytes.Buffer
	env := &environment{args: []string{"-version"}, out: &out, errOut: &out}
	if code := run(t.Context(), env); code != exitOK || !strings.HasPrefix(out.String(), "heimdallctl ") || len(strings.Fields(out.String())) < 2 {
		t.Errorf("exit code %d: %q", code, out.String())
	}
	out.Reset()
	env.args = []string{"-json", "--version"}
	var got struct{ Version string }
	if code := run(t.Context(), env); code != exitOK || json.Unmarshal(out.Bytes(), &got) != nil || got.Version == "" {
		t.Errorf("exit code %d: %q", code, out.String())
	}
}
