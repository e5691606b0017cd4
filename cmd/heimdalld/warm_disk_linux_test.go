package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"heimdall/ebpf"
)

// On a disk that is full the file stays that was there, the daemon serves on, and operators are told, in the log once. When
// there is room again, the file is written.
func TestRootCachesOnAFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skipf("mounts a file system: %v", fmt.Errorf("not root: %w", ebpf.ErrNotSupported))
	}
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=128k"); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	file := filepath.Join(disk, "cache")
	up := newUpstream(t, nil)
	d := start(t, fmt.Sprintf("[cache]\nfile = %q\nsave_interval = \"1s\"\n%s", file, forward(".", up)))
	for i := range 20 {
		stillRight(t, d, fmt.Sprintf("n%d.example.", i))
	}
	until(t, "the file to be written", func() bool { return d.kept().SavedEntries == 20 })
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	d.ask("more.example.", dns.TypeA)
	before := d.kept().Failures
	until(t, "writing to fail again and again", func() bool { return d.kept().Failures >= before+3 })
	if k := d.kept(); !strings.Contains(k.LastFail, "no space left") || k.SavedEntries > 21 {
		t.Errorf("%+v", k)
	}
	if n := strings.Count(d.log.String(), "the caches cannot be written"); n != 1 {
		t.Errorf("%d lines in the log", n)
	}
	if out, _ := d.ctl("status"); !strings.Contains(out, "warning: the caches cannot be written to "+file) {
		t.Errorf("status:\n%s", out)
	}
	stillRight(t, d, "n1.example.")
	if text, err := os.ReadFile(file); err != nil || len(text) < len(good) || !bytes.Equal(text[:8], good[:8]) {
		t.Errorf("the file has %d bytes, %v", len(text), err)
	}
	os.Remove(filler)
	until(t, "the file to be written again", func() bool { k := d.kept(); return k.LastFail == "" && k.SavedEntries == 21 })
	if out, _ := d.ctl("status"); strings.Contains(out, "cannot be written") {
		t.Errorf("status:\n%s", out)
	}
	d = d.restarted(syscall.SIGKILL)
	if k := d.kept(); k.LoadedEntries != 21 {
		t.Errorf("%+v", k)
	}
	unhurt(t, d)
}

// A daemon that is killed while it writes leaves the file that was there, whole, and what else it leaves is removed.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	config := func(rest string) string { return "[cache]\nfile = \"cache\"\n" + rest + forward(".", up) }
	d := start(t, config(""))
	for i := range 200 {
		d.ask(fmt.Sprintf("n%d.example.", i), dns.TypeA)
	}
	d = d.restarted(syscall.SIGTERM)
	d.ask("more.example.", dns.TypeA)
	d.write(config("save_interval = \"1s\"\nsave_rate = \"1KiB\"\n"))
	d.ctl("reload")
	file := filepath.Join(d.dir, "cache")
	until(t, "the daemon to write", func() bool {
		info, err := os.Lstat(file + ".new")
		return err == nil && info.Size() > 1000
	})
	d.write(config(""))
	d = d.restarted(syscall.SIGKILL)
	if k := d.kept(); k.LoadedEntries != 200 {
		t.Errorf("%+v", k)
	}
	if _, err := os.Lstat(file + ".new"); err == nil {
		t.Error("a part of a file is left behind")
	}
}
