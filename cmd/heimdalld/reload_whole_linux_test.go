package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/core/control"
)

// noDescriptors lets the daemon open nothing more while f runs.
func (d *daemon) noDescriptors(f func()) {
	d.t.Helper()
	var before unix.Rlimit
	pid := d.cmd.Process.Pid
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		d.t.Fatal(err)
	}
	none := before
	none.Cur = 3 // what is open stays
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &none, nil); err != nil {
		d.t.Fatal(err)
	}
	defer func() {
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil); err != nil {
			d.t.Fatal(err)
		}
	}()
	f()
}

// longZone is a zone that takes so long to load that something can happen meanwhile, and a moment.
func longZone(serial int) string {
	return versionText(serial) + strings.Repeat("$GENERATE 0-65535 $.elsewhere.test. A 192.0.2.1\n", 60)
}

// reloadWithout reloads, by signal or by heimdallctl, and lets the daemon open nothing more from the moment on at which it has
// read the configuration and loads the zone example.org. It returns what is told of it.
func (d *daemon) reloadWithout(signal bool) string {
	d.t.Helper()
	before := len(d.log.String())
	told := make(chan string, 1)
	if signal {
		d.cmd.Process.Signal(syscall.SIGHUP)
	} else {
		go func() {
			out, code := d.ctl("reload")
			told <- fmt.Sprintf("exit code %d: %s", code, out)
		}()
	}
	until(d.t, "the zone to be loaded", func() bool { return zoneInfos(d)["example.org."].State == "loading" })
	d.noDescriptors(func() {
		until(d.t, "the reload to end", func() bool {
			log := d.log.String()[before:]
			return strings.Contains(log, "msg=reloaded") || strings.Contains(log, "not reloaded")
		})
	})
	if signal {
		return d.log.String()[before:]
	}
	return <-told + d.log.String()[before:]
}

// A reload of which something fails after the file was found good changes nothing: neither servers, nor clients, nor zones.
// It tells so, and the same file reloaded later applies all.
func TestRootReloadIsAllOrNothing(t *testing.T) {
	t.Parallel()
	first := newUpstream(t, nil)
	second := newUpstream(t, answerOther)
	path := writeFile(t, "zone", versionText(1))
	const old = "[xdp]\nsteer = \"cpu\"\n[cpu]\nshards = 2\npin = false\n" // so that programs steer before descriptors run out
	zone := zoneTable("example.org.", path)
	d := start(t, old+forward(".", first)+zone)
	stillRight(t, d, "cached.example.")
	replaceZone(t, path, longZone(2))
	d.write("[recursion]\nallow = [\"127.0.0.1/32\"]\n" + strings.Replace(old, "shards = 2", "shards = 3", 1) + forward(".", second) + zone + zoneTable("more.example.", path))
	stranger := dialFrom(t, "udp", "127.0.0.2", d.addr)
	asStranger := func() int {
		t.Helper()
		if err := stranger.WriteMsg(question("cached.example.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		r, err := stranger.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		return r.Rcode
	}
	for _, signal := range []bool{false, true} {
		told := d.reloadWithout(signal)
		if !strings.Contains(told, "nothing was changed") || !strings.Contains(told, "too many open files") || !signal && !strings.HasPrefix(told, "exit code 1") {
			t.Errorf("by signal %v: %s", signal, told)
		}
		if !servesVersion(d, "example.org.", 1) {
			t.Error("the new version of a zone is served")
		}
		if infos := zoneInfos(d); len(infos) != 1 || infos["example.org."].State != "serving" || infos["example.org."].Serial != 1 {
			t.Errorf("%+v", infos)
		}
		stillRight(t, d, fmt.Sprintf("new%v.example.", signal)) // of the first server
		if asStranger() != dns.RcodeSuccess {
			t.Error("the new list of clients is in force")
		}
	}
	if second.Count("") != 0 {
		t.Error("the new server was asked")
	}
	var r reloaded
	d.ctlJSON(&r, "reload")
	for _, key := range []string{"cpu.shards", "recursion.allow", `forward "."`, `zone "more.example."`} {
		if !slices.Contains(r.Applied, key) {
			t.Errorf("%s is not applied: %+v", key, r)
		}
	}
	if !servesVersion(d, "example.org.", 2) || asStranger() != dns.RcodeRefused {
		t.Error("the old configuration is in force")
	}
	if r := d.ask("newer.example.", dns.TypeA); len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.2" {
		t.Errorf("%v", r)
	}
	unhurt(t, d)
}

// A table of clients that the kernel refuses is one of the things that may fail: kernel and shards go on by the old one.
func TestRootReloadThatTheKernelRefuses(t *testing.T) {
	t.Parallel()
	l := newClientsLab(t, "native")
	l.writeFile(t, "example.zone", versionText(1))
	path := filepath.Join(l.dir, "example.zone")
	l.template += zoneTable("example.org.", path)
	l.reload(t, `"192.0.2.2/32", "2001:db8::2/128"`, "")
	until(t, "the kernel to answer", func() bool { return l.served(t, patience) == "kernel kernel" })
	replaceZone(t, path, longZone(2))
	text := strings.Replace(l.template, everybody, `allow = ["192.0.2.2/32"]`, 1)
	l.writeFile(t, "config.toml", text)
	if told := l.reloadWithout(false); !strings.Contains(told, "nothing was changed") || !strings.Contains(told, "table of clients") || !strings.HasPrefix(told, "exit code 1") {
		t.Error(told)
	}
	if got := l.served(t, patience); got != "kernel kernel" {
		t.Errorf("served by %s", got)
	}
	if x := l.xdp(); x.Clients != (control.XDPClients{Prefixes: 2, Failures: 1}) {
		t.Errorf("%+v", x.Clients)
	}
	l.ctlJSON(new(reloaded), "reload")
	until(t, "clients to be served by the new table", func() bool { return l.served(t, patience) == "kernel refused" })
}

// A reload with unreadable trust anchors changes nothing, and one after they are there again applies all.
func TestReloadWithoutTrustAnchors(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	anchors := writeFile(t, "anchors", "no anchor\n")
	hints := nobodysHints(t)
	d := start(t, validating(false, hints, "", "")+forward(".", up))
	stillRight(t, d, "cached.example.")
	d.write(validating(true, hints, anchors, "allow = []") + forward(".", up))
	if out, code := d.ctl("reload"); code != 1 || !strings.Contains(out, "recursion.trust_anchors") || !strings.Contains(out, "nothing was changed") {
		t.Errorf("exit code %d: %s", code, out)
	}
	stillRight(t, d, "cached.example.")
	stillRight(t, d, "new.example.")
	if err := os.WriteFile(anchors, []byte(newScriptedWorld(t).public.String()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var r reloaded
	d.ctlJSON(&r, "reload")
	if want := "[recursion.trust_anchors recursion.validation recursion.allow]"; fmt.Sprint(r.Applied) != want {
		t.Errorf("applied: %v, want %s", r.Applied, want)
	}
	if r := d.ask("cached.example.", dns.TypeA); r.Rcode != dns.RcodeRefused {
		t.Errorf("%v", r)
	}
}
