package preflight

import (
	"strings"
	"testing"

	"heimdall/core/config"
)

// The limit of open files is compared with what tcp.max_connections of all shards may need.
func TestOpenFiles(t *testing.T) {
	for _, c := range []struct {
		limits  string
		verdict Verdict
		want    string
	}{
		{"Max open files 64 64 files", Warn, "ulimit -n "},
		{"Max open files 64 1048576 files", OK, "may be needed"},
		{"Max open files 64 unlimited files", OK, "may be needed"},
		{"Max open files", Warn, "cannot be read"},
	} {
		f := newFake()
		f.set("proc/self/limits", c.limits)
		for _, found := range Inspect(f, Options{Config: config.Default(), PID: "self", Shards: make([]Shard, 2)}) {
			if found.Check == "open_files" && (found.Verdict != c.verdict || !strings.Contains(found.Found+found.Command, c.want)) {
				t.Errorf("%s: %+v", c.limits, found)
			}
		}
	}
}
