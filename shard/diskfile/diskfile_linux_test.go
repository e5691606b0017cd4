package diskfile

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
	if err := errors.Join(os.WriteFile(at("open"), []byte("12345678"), 0o600), os.Chmod(at("open"), 0o660)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		own  bool
		want string // of the error; empty: none
	}{
		{at("good"), false, ""},
		{at("good"), true, ""},
		{at("link"), false, ""},
		{at("link"), true, "symbolic link"},
		{at("long"), false, "longer than 8 bytes"},
		{at("long"), true, "longer than 8 bytes"},
		{"/dev/zero", false, "no regular file"},
		{"/dev/zero", true, "no regular file"},
		{at("pipe"), false, "no regular file"},
		{at("pipe"), true, "no regular file"},
		{dir, true, "directory"},
		{at("open"), false, ""},
		{at("open"), true, "others may write"},
	} {
		read := Read
		if c.own {
			read = ReadOwn
		}
		text, err := read(c.name, 8)
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

// A disk that is full before all is written is an error, and what was there stays.
func TestFullDeviceLeavesTheOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := Replace(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	p, err := Begin(path)
	if err != nil {
		t.Fatal(err)
	}
	p.f.Close()
	if p.f, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("new")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	if err := p.Discard(); err != nil {
		t.Error(err)
	}
	onlyThe(t, path, "old")
}

// onlyThe checks that a file has a content, and stands alone in its folder.
func onlyThe(t *testing.T, path, want string) {
	t.Helper()
	if text, err := os.ReadFile(path); err != nil || string(text) != want {
		t.Errorf("the file has %.20q, %v", text, err)
	}
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(list) != 1 {
		t.Errorf("the folder has %v, %v", list, err)
	}
}

// On a file system that is really full, each write fails, leaves nothing behind and takes nothing away. Once there is room, it
// succeeds.
func TestRootFullFileSystem(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts a file system: takes root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "state")
	if err := Replace(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := Replace(path, make([]byte, 100<<10)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("more than there is room for: %v", err)
		}
		onlyThe(t, path, "old")
	}
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 100<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("new")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("no block is left: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	onlyThe(t, path, "old")
	if err := Replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	onlyThe(t, path, "new")
}

// A file of another user is refused: somebody else decides what it says.
func TestRootFileOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives a file to another user: takes root")
	}
	path := filepath.Join(t.TempDir(), "state")
	if err := Replace(path, []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Fatal(err)
	}
	if text, err := ReadOwn(path, 100); err == nil || !strings.Contains(err.Error(), "belongs to user 65534") {
		t.Errorf("%q, %v", text, err)
	}
}

// A process that is killed at any moment leaves the old file or the new one, whole; what else it leaves is removed.
func TestKilledWhileReplacing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if dir := os.Getenv("DISKFILE_REPLACE"); dir != "" {
		for i := 0; ; i++ {
			if err := Replace(dir, bytes.Repeat([]byte{byte('a' + i%26)}, 1<<20)); err != nil {
				t.Fatal(err)
			}
		}
	}
	left := 0
	for i := range 12 {
		cmd := exec.Command(os.Args[0], "-test.run=TestKilledWhileReplacing")
		cmd.Env = append(os.Environ(), "DISKFILE_REPLACE="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+7*i) * time.Millisecond) // any moment will do
		cmd.Process.Kill()
		cmd.Wait()
		if _, err := os.Lstat(temporary(path)); err == nil {
			left++
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // It did not come so far.
		}
		if err != nil || len(text) != 1<<20 || len(bytes.Trim(text, string(text[:1]))) > 0 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
	}
	t.Logf("%d of 12 left a part of a file", left)
	if err := Replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	onlyThe(t, path, "new")
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
