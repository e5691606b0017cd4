package supervisor

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"heimdall/shard/settings"
)

// enterSandbox gives up what the process has no use for once all is open.
func (s *Supervisor) enterSandbox() {
	if s.confine == nil {
		return
	}
	o := settings.Sandbox(s.config(), s.path)
	if path, err := os.Executable(); err == nil && o.Writes(path) {
		s.warn(fmt.Sprintf("sandbox: the daemon may write to the folder of its own program, %s, which an upgrade starts: move it, or the files that it writes", path), nil)
	}
	s.confined = s.confine(o)
	for _, what := range s.confined.Lacks {
		s.warn("sandbox: "+what, nil)
	}
}

// staysInside refuses a configuration that names files which the sandbox hides. Those that it named before, and that were
// not there yet when the sandbox was entered, are a warning.
func (c *change) staysInside() error {
	outside := c.s.confined.Outside(settings.Sandbox(c.next, c.s.path))
	if len(outside) == 0 {
		return nil
	}
	now := settings.Sandbox(c.now, c.s.path)
	var fresh, late []string
	for _, path := range outside {
		if slices.Contains(now.Read, path) || slices.Contains(now.Write, path) {
			late = append(late, path)
		} else {
			fresh = append(fresh, path)
		}
	}
	if len(late) > 0 {
		c.warnings = append(c.warnings, fmt.Sprintf("%s: not there when the sandbox was entered, and hidden by it: restart the daemon to use it", strings.Join(late, ", ")))
	}
	if len(fresh) > 0 {
		return fmt.Errorf("%s: hidden by the sandbox, which was entered for the folders that the configuration named at the start: restart the daemon to use it; security.folders lists folders for later reloads", strings.Join(fresh, ", "))
	}
	return nil
}
