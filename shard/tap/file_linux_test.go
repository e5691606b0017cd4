package tap

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heimdall/shard/tap/dnstap"
)

// A file of dnstap that another process writes to is left alone until that has ended, and what has gone aside before stays.
func TestFileOfAnotherProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, files map[string]string) {
		t.Helper()
		for name, text := range files {
			if b, err := os.ReadFile(name); err != nil && text != "" || string(b) != text {
				t.Errorf("%s: %s is %q, %v", when, filepath.Base(name), b, err)
			}
		}
	}
	put(path, "theirs")
	put(path+".old", "kept")
	none := slog.New(slog.DiscardHandler)
	next := func(alone chan struct{}) (*Tap, *Change) {
		tap := New(Options{Epoch: time.Now(), Kernel: func() uint64 { return 0 }, Log: none, Lines: none, Alone: alone})
		c, err := tap.Prepare(Settings{Frames: FrameSettings{Network: "file", Address: path}})
		if err != nil {
			t.Fatal(err)
		}
		return tap, c
	}
	before := map[string]string{path: "theirs", path + ".old": "kept", path + ".old.1": ""}

	tap, c := next(nil)
	c.Discard()
	tap.Close()
	want("after a change that was given up", before)

	tap, c = next(make(chan struct{}))
	c.Apply(nil)
	tap.Close()
	want("beside another process", before)

	alone := make(chan struct{})
	tap, c = next(alone)
	c.Apply(nil)
	want("before the end of another process", before)
	close(alone)
	tap.Close()
	whole := string(dnstap.AppendStop(dnstap.AppendStart(nil)))
	want("after its end", map[string]string{path: whole, path + ".old": "kept", path + ".old.1": "theirs"})
}

// So many files that have gone aside are kept, and then the oldest makes room.
func TestAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	var names []string
	for i := range keptAside {
		name := aside(path)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1000+(i+5)%keptAside), 0)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.TrimPrefix(name, path))
	}
	if got := strings.Join(names, " "); got != ".old .old.1 .old.2 .old.3 .old.4 .old.5 .old.6 .old.7 .old.8 .old.9" {
		t.Error(got)
	}
	if got := aside(path); got != path+".old.5" {
		t.Error(got)
	}
}
