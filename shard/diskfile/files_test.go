package diskfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A pattern names what a shell's would; what is not there, cannot be read or is too much together is an error.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.toml", "a.toml", ".hidden.toml", "c.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("12345678"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d.toml"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := &Files{Left: 15}
	for pattern, want := range map[string]string{
		"*.toml":   "[a.toml b.toml]",
		".*.toml":  "[.hidden.toml]",
		"[ab].*":   "[a.toml b.toml]",
		"none*":    "[]",
		"c.txt":    "[c.txt]",
		"no.toml":  "no such file",
		"no/*":     "no such file",
		"*/a.toml": "only the last part",
		"[a":       "is no pattern",
	} {
		names, err := f.Glob(filepath.Join(dir, pattern))
		got := fmt.Sprint(err)
		if err == nil {
			got = strings.ReplaceAll(fmt.Sprint(names), dir+"/", "")
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
	if _, err := f.Read(filepath.Join(dir, "a.toml")); err != nil {
		t.Error(err)
	}
	if _, err := f.Read(filepath.Join(dir, "b.toml")); err == nil || !strings.Contains(err.Error(), "longer than 7 bytes") {
		t.Errorf("beyond the limit: %v", err)
	}
}
