package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is changed through the admin socket leaves a line in the log, with who did it.
func TestDeedsAreLogged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "example.zone")
	text := "$TTL 3600\n@ SOA ns1 h 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	hints := writeFile(t, "root.hints", ". 3600 NS nobody.test.\nnobody.test. 3600 A 127.0.0.254\n")
	d := start(t, fmt.Sprintf("[recursion]\nroot_hints = %q\n[[zone]]\nname = \"example.\"\nfile = %q\n", hints, file))
	by := fmt.Sprintf("uid=%d", os.Getuid())
	for _, c := range []struct{ command, want string }{
		{"reload", "msg=reloaded"},
		{"cache flush", "flushed the cache"},
		{"cache flush www.example.net", "name=www.example.net"},
		{"zone reload example.", "reloaded zones"},
		{"nta add broken.example.", "added a negative trust anchor"},
		{"nta remove broken.example.", "removed a negative trust anchor"},
		{"nta remove broken.example.", "no negative trust anchor was removed"},
	} {
		before := len(d.log.String())
		out, _ := d.ctl(strings.Fields(c.command)...)
		until(t, c.command+" in the log: "+out, func() bool {
			for line := range strings.Lines(d.log.String()[before:]) {
				if strings.Contains(line, c.want) && strings.Contains(line, by) {
					return true
				}
			}
			return false
		})
	}
}

// A reload that loads a changed zone says so.
func TestReloadTellsOfZones(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "example.zone")
	write := func(serial int, address string) {
		t.Helper()
		text := fmt.Sprintf("$TTL 3600\n@ SOA ns1 h %d 7200 3600 1209600 300\n@ NS ns1\nns1 A %s\n", serial, address)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		// The modification time tells versions apart, whatever the clock's grain.
		if err := os.Chtimes(file, time.Time{}, time.Unix(1_700_000_000+int64(serial), 0)); err != nil {
			t.Fatal(err)
		}
	}
	write(1, "192.0.2.1")
	d := start(t, fmt.Sprintf("[[zone]]\nname = \"example.\"\nfile = %q\n", file))
	if out, code := d.ctl("reload"); code != 0 || !strings.Contains(out, "nothing has changed") {
		t.Errorf("a reload without a change says %q", out)
	}
	write(2, "192.0.2.2")
	out, code := d.ctl("reload")
	if code != 0 || strings.Contains(out, "nothing has changed") || !strings.Contains(out, "loaded anew: zone example.") {
		t.Errorf("a reload that loads a zone says %q", out)
	}
}
