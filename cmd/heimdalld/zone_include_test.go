package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// $INCLUDE reads files in and below the folder of the zone's own, and no others, however they are named.
func TestZoneIncludes(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	zones := filepath.Join(top, "zones")
	if err := os.MkdirAll(filepath.Join(zones, "sub", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"outside": "stolen A 192.0.2.66\n", "zones/beside": "beside A 192.0.2.2\n", "zones/sub/below": "below A 192.0.2.3\n$INCLUDE sub/deep/deeper\n",
		"zones/sub/deep/deeper": "deeper A 192.0.2.4\n", "zones/faulty": "fine A 192.0.2.5\nfaulty A nonsense\n", "zones/itself": "$INCLUDE itself\n",
	} {
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"inward": "sub/below", "outward": "../outside", "away": filepath.Join(top, "outside"), "up": ".."} {
		if err := os.Symlink(to, filepath.Join(zones, link)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(zones, "example.zone")
	replaceZone(t, path, versionText(1)+"$INCLUDE beside\n$INCLUDE sub/below\n$INCLUDE ./sub/../beside again.example.org.\n$INCLUDE inward linked\n"+
		"$INCLUDE "+filepath.Join(zones, "beside")+" absolute\n")
	d := start(t, authoritativeOnly+zoneTable("example.org.", path))
	for _, name := range []string{"beside", "below", "deeper", "beside.again", "beside.absolute", "below.linked", "deeper.linked"} {
		if r := d.ask(name+".example.org.", dns.TypeA); len(r.Answer) != 1 {
			t.Errorf("%s: %v", name, r)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(zones, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere, linked := "lies elsewhere: files that are included have to lie below "+zones, "leads elsewhere by a symbolic link: files that are included have to lie below "+zones
	for include, why := range map[string]string{
		"../outside": elsewhere, "/etc/hostname": elsewhere, filepath.Join(top, "outside"): elsewhere, "sub/../../outside": elsewhere, "/dev/zero": elsewhere,
		"outward": linked, "away": linked, "up/outside": linked, "missing": "no such file", "sub": "directory", "pipe": "no regular file",
		"faulty": "faulty:2: A: want an IPv4 address", "itself": "nested too deeply",
	} {
		replaceZone(t, path, versionText(2)+"$INCLUDE "+include+"\n")
		out, code := d.ctl("zone", "reload", "example.org.")
		if code != 1 || !strings.Contains(out, why) || include != "faulty" && include != "itself" && !strings.Contains(out, path+":6: ") {
			t.Errorf("$INCLUDE %s: exit code %d, want %q:\n%s", include, code, why, out)
		}
		if !servesVersion(d, "example.org.", 1) || d.ask("stolen.example.org.", dns.TypeA).Rcode != dns.RcodeNameError {
			t.Errorf("$INCLUDE %s: the old version is not served", include)
		}
	}
	// A folder of the configuration's choice may hold files as well, but no way out of it.
	replaceZone(t, path, versionText(2)+"$INCLUDE ../outside\n$INCLUDE "+filepath.Join(top, "outside")+" absolute\n$INCLUDE beside\n$INCLUDE outward linked\n")
	d.write(authoritativeOnly + zoneTable("example.org.", path) + fmt.Sprintf("include_folder = %q\n", top))
	if out, code := d.ctl("reload"); code != 0 || !servesVersion(d, "example.org.", 2) {
		t.Errorf("exit code %d: %s", code, out)
	}
	for _, name := range []string{"stolen", "stolen.absolute", "beside", "stolen.linked"} {
		if r := d.ask(name+".example.org.", dns.TypeA); len(r.Answer) != 1 {
			t.Errorf("%s: %v", name, r)
		}
	}
	replaceZone(t, path, versionText(3)+"$INCLUDE /etc/hostname\n")
	if out, code := d.ctl("zone", "reload", "example.org."); code != 1 || !strings.Contains(out, "have to lie below "+zones+" or "+top) {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// A reload reads a zone again when any file that it was read from is another one, and only then.
func TestReloadSeesIncludedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ticks := int64(1_700_000_000)
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		ticks++ // tells versions apart, whatever the clock's grain
		if err := os.Chtimes(path, time.Time{}, time.Unix(ticks, 0)); err != nil {
			t.Fatal(err)
		}
	}
	write("zone", versionText(1)+"$INCLUDE part\n")
	write("part", "part A 192.0.2.1\n$INCLUDE deep\n")
	write("deep", "deep A 192.0.2.1\n")
	d := start(t, authoritativeOnly+zoneTable("example.", filepath.Join(dir, "zone"))+zoneFile(t, "other.", versionText(1)))
	ways := map[string]func(){
		"reload": func() {
			if out, code := d.ctl("reload"); code != 0 {
				t.Errorf("exit code %d: %s", code, out)
			}
		},
		"SIGHUP": func() {
			before := reloads(d)
			d.cmd.Process.Signal(syscall.SIGHUP)
			until(t, "the end of the reload", func() bool { return reloads(d) > before })
		},
	}
	version := 1
	for way, reload := range ways {
		loads := func() int { return strings.Count(d.log.String(), "loaded a zone") }
		before := loads()
		if reload(); loads() != before {
			t.Errorf("%s: a zone was loaded that had not changed", way)
		}
		for _, part := range []string{"part", "deep"} {
			version++
			text := fmt.Sprintf("%s A 192.0.2.%d\n", part, version)
			if part == "part" {
				text += "$INCLUDE deep\n"
			}
			write(part, text)
			before := loads()
			reload()
			if r := d.ask(part+".example.", dns.TypeA); len(r.Answer) != 1 || !strings.HasSuffix(r.Answer[0].String(), fmt.Sprintf("192.0.2.%d", version)) || loads() != before+1 {
				t.Errorf("%s: %s is not what the file says: %v", way, part, r)
			}
		}
	}
	// What has vanished is an error, until it is there again.
	if err := os.Rename(filepath.Join(dir, "deep"), filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	if out, code := d.ctl("reload"); code != 0 || !strings.Contains(out, "zone example. was not loaded, its old version is served: ") || !strings.Contains(out, "part:2: $INCLUDE: open \"deep\": ") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if err := os.Rename(filepath.Join(dir, "gone"), filepath.Join(dir, "deep")); err != nil {
		t.Fatal(err)
	}
	if out, code := d.ctl("reload"); code != 0 || strings.Contains(out, "was not loaded") || !servesVersion(d, "example.", 1) {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// Files that never end, or that wait for somebody, are refused at once.
func TestEndlessZoneFiles(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	sparse := writeFile(t, "sparse", "")
	if err := os.Truncate(sparse, 1<<40); err != nil {
		t.Fatal(err)
	}
	config := writeFile(t, "config.toml", "[server]\nlisten = [\"127.0.0.1:1053\"]\n[recursion]\nenabled = false\nroot_hints = \""+pipe+"\"\ntrust_anchors = \"/dev/zero\"\n"+
		zoneTable("pipe.", pipe)+zoneTable("zero.", "/dev/zero")+zoneTable("folder.", filepath.Dir(pipe))+zoneTable("sparse.", sparse)+zoneTable("gone.", "/nonexistent/zone")+
		"include_folder = \"/nonexistent\"\n"+zoneFile(t, "folderless.", versionText(1))+"include_folder = \"/nonexistent\"\n")
	out, code := runDaemon(t, "-check", "-config", config)
	for _, want := range []string{
		config + ":5: recursion.root_hints: " + pipe + " is no regular file", config + ":6: recursion.trust_anchors: /dev/zero is no regular file",
		config + ":10: zone[0].file: open zone pipe.: " + pipe + " is no regular file", config + ":14: zone[1].file: open zone zero.: /dev/zero is no regular file",
		config + ":18: zone[2].file: open zone folder.: " + filepath.Dir(pipe) + " is a directory", "zone sparse.: " + sparse + ":1: entry longer than 1 MiB",
		config + ":26: zone[4].file: open zone gone.: ", config + ":32: zone[5].include_folder: open the folder for what zone folderless. includes: ",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, want %q:\n%s", code, want, out)
		}
	}
}

// What is wrong with zones and does not keep them from being served stands in the log, with the line, whenever they are
// loaded; of errors beyond those that are shown, the number.
func TestZoneProblemsHaveLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, part := filepath.Join(dir, "zone"), filepath.Join(dir, "part")
	faulty := "\nalias DNAME elsewhere.\nbelow.alias A 192.0.2.1\n"
	if err := os.WriteFile(part, []byte(faulty), 0o644); err != nil {
		t.Fatal(err)
	}
	replaceZone(t, path, versionText(1)+"$INCLUDE part\nchild NS ns.child\n")
	table := zoneTable("example.", path)
	below, glue := "part:3: below.alias.example. A: below a DNAME", path+":7: child.example. NS: no address of the name server ns.child.example."
	out, code := runDaemon(t, "-check", "-config", writeFile(t, "config.toml", "[server]\nlisten = [\"127.0.0.1:1053\"]\n"+authoritativeOnly+table))
	if code != 0 || !strings.Contains(out, "warning: zone example.: "+below) || !strings.Contains(out, "warning: zone example.: "+glue) || strings.Count(out, "warning") != 2 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	d := start(t, authoritativeOnly+table)
	logged := func(n int) bool {
		log := d.log.String()
		return strings.Count(log, "warning=\""+below) == n && strings.Count(log, "warning=\""+glue) == n
	}
	until(t, "the faults to be logged", func() bool { return logged(1) })
	replaceZone(t, path, versionText(2)+"$INCLUDE part\nchild NS ns.child\n")
	if out, code := d.ctl("reload"); code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}
	until(t, "the faults to be logged again", func() bool { return logged(2) })
	replaceZone(t, path, versionText(3)+strings.Repeat("b A 192.0.2\n", 25))
	if out, code := d.ctl("reload"); code != 0 || !strings.Contains(out, path+":15: A: want an IPv4 address; and 15 more errors") {
		t.Errorf("exit code %d: %s", code, out)
	}
	replaceZone(t, path, versionText(4)+strings.Repeat("elsewhere.test. A 192.0.2.1\n", 30))
	if out, code := d.ctl("zone", "reload", "example."); code != 0 || !strings.Contains(out, path+":25: elsewhere.test. A: not in the zone") || !strings.Contains(out, "warning: 10 more warnings; ") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
