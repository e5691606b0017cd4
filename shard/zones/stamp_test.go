package zones

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Another version of a file is told by its size, its times or its being another file; to read it changes nothing.
func TestZoneStamp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zone")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Unix(1_700_000_000, 0)
	for what, change := range map[string]func() error{
		"nothing":   nil,
		"read":      func() error { _, err := os.ReadFile(path); return err },
		"size":      func() error { return os.WriteFile(path, []byte("ab"), 0o644) },
		"time":      func() error { return os.Chtimes(path, old.Add(1), old.Add(1)) },
		"identity":  func() error { write(path+"2", "a"); os.Chtimes(path+"2", old, old); return os.Rename(path+"2", path) },
		"existence": func() error { return os.Remove(path) },
	} {
		write(path, "a")
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		was := stamp{path: stampOf(info)}
		if change != nil {
			if err := change(); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := was.stale(), what != "nothing" && what != "read"; got != want {
			t.Errorf("%s: stale is %v", what, got)
		}
	}
}
