package diskfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no file of the expected size is refused without being read, and without waiting for anybody.
func TestReadRefusesWhatIsNoSmallFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("good"), []byte("12345678"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("long"), []byte("123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("good"), at("link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		flags int
		want  string // of the error; empty: none
	}{
		{at("good"), 0, ""},
		{at("link"), 0, ""},
		{at("link"), syscall.O_NOFOLLOW, "symbolic link"},
		{at("long"), 0, "longer than 8 bytes"},
		{"/dev/zero", 0, "no regular file"},
		{at("pipe"), 0, "no regular file"},
		{dir, 0, "directory"},
	} {
		text, err := read(c.name, 8, c.flags)
		switch {
		case c.want == "" && (err != nil || string(text) != "12345678"):
			t.Errorf("%s: %q, %v", c.name, text, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Links that somebody has laid at either name of a file lead to no other file, and nobody else may read
// it.
func TestReplaceFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	state, victim := filepath.Join(dir, "state"), filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{state, state + ".new"} {
		if err := os.Symlink(victim, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := Replace(state, []byte("ours")); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(victim); string(text) != "theirs" {
		t.Errorf("the file that the links pointed to has %q", text)
	}
	info, err := os.Lstat(state)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("the state is %v, %v", info.Mode(), err)
	}
	if text, err := ReadOwn(state, 8); err != nil || string(text) != "ours" {
		t.Errorf("the state has %q, %v", text, err)
	}
}

// A full disk is an error of what is written beside the old state.
func TestReplaceOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(full, []byte("new")); err == nil {
		t.Error("no error from a full disk")
	}
}

// What cannot be written leaves the old state whole.
func TestReplaceLeavesTheOldWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.keys")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path+".new", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("new")); err == nil {
		t.Error("no error where a folder is in the way")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "old" {
		t.Errorf("the file is %q, %v", text, err)
	}
}
