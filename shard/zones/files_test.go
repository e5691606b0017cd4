package zones

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A file that grows while it is read is no zone, and the end of the daemon ends the reading.
func TestZoneFileGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(path, []byte("a A 192.0.2.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := openFiles(Zone{File: path})
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
	files, err := openFiles(Zone{File: filepath.Join(link, "zone")})
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
