package config

import (
	"runtime/debug"
	"testing"
)

// A build without a linked version is called after what the build knows.
func TestVersion(t *testing.T) {
	if got := Version("v1.2.3"); got != "v1.2.3" {
		t.Errorf("the linked version is %q", got)
	}
	set := func(pairs ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "(devel)"}}
		for i := 0; i < len(pairs); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: pairs[i], Value: pairs[i+1]})
		}
		return info
	}
	tagged := set()
	tagged.Main.Version = "v0.1.2"
	for want, info := range map[string]*debug.BuildInfo{
		"v0.1.2":             tagged,
		"0123456789ab":       set("vcs.revision", "0123456789abcdef", "vcs.modified", "false"),
		"0123456789ab-dirty": set("vcs.revision", "0123456789abcdef", "vcs.modified", "true"),
		"unknown (built by go1.26 without version control)": set(),
	} {
		if got := versionOf(info); got != want {
			t.Errorf("version %q, want %q", got, want)
		}
	}
}
