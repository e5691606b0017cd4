package supervisor

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"heimdall/core/config"
)

// A file that grows while it is read is no zone, and the end of the daemon ends the reading.
func TestZoneFileGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(path, []byte("a A 192.0.2.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := newZoneFiles(zoneConfig{Zone: config.Zone{File: path}})
	if err != nil {
		t.Fatal(err)
	}
	defer files.close()
	ctx, cancel := context.WithCancel(t.Context())
	src, err := files.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	more, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer more.Close()
	if _, err := more.WriteString("b A 192.0.2.1\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(src); !errors.Is(err, errGrew) {
		t.Errorf("%v, want %v", err, errGrew)
	}
	cancel()
	if _, err := src.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v after the end", err)
	}
}

// A folder may be named by a symbolic link, and what is below it by its real name.
func TestIncludeByRealName(t *testing.T) {
	top := t.TempDir()
	folder, link := filepath.Join(top, "folder"), filepath.Join(top, "link")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"zone", "part"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := newZoneFiles(zoneConfig{Zone: config.Zone{File: filepath.Join(link, "zone")}})
	if err != nil {
		t.Fatal(err)
	}
	defer files.close()
	for _, name := range []string{"part", filepath.Join(folder, "part"), filepath.Join(link, "part"), "../link/part"} {
		f, err := files.include(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f.Close()
	}
	if _, err := files.include(t.Context(), "../other/part"); err == nil {
		t.Error("a file beside the folder is read")
	}
}

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
		stamp := zoneStamp{path: stampOf(info)}
		if change != nil {
			if err := change(); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := stamp.stale(), what != "nothing" && what != "read"; got != want {
			t.Errorf("%s: stale is %v", what, got)
		}
	}
}
