package config

import "runtime/debug"

// Version is what a program calls itself: what the linker has set, or else what the build knows, which is the version of
// the module, or the commit.
func Version(linked string) string {
	info, ok := debug.ReadBuildInfo()
	if linked != "" || !ok {
		return linked
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-dirty"
		}
	}
	if commit == "" {
		return "unknown (built by " + info.GoVersion + " without version control)"
	}
	return commit + modified
}
