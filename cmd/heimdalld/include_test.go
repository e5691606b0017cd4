package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A configuration of several files is served as one; diff tells what a reload would change, and a reload changes that.
func TestIncludedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf.d")
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	zone := func(address string) string {
		return "$TTL 3600\n@ SOA ns1 h 1 7200 3600 1209600 300\n@ NS ns1\nns1 A " + address + "\n"
	}
	put("conf.d/zones/one.zone", zone("192.0.2.1"))
	put("conf.d/one.toml", "[[zone]]\nname = \"one.example.\"\nfile = \"zones/one.zone\"\n")
	include := fmt.Sprintf("include = [%q]\n", conf+"/*.toml")
	var d *daemon
	for range 5 { // include stands above all tables
		addr := freePort(t)
		d = &daemon{t: t, addr: addr, dir: t.TempDir()}
		d.config, d.socket = filepath.Join(d.dir, "config.toml"), filepath.Join(d.dir, "admin.sock")
		text := fmt.Sprintf("%s[server]\nlisten = [%q]\n[cpu]\nshards = 1\n[recursion]\nenabled = false\n[admin]\nsocket = %q\n", include, addr, d.socket)
		if err := os.WriteFile(d.config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		d.launch()
		until(t, "the daemon", func() bool {
			_, err := exchange(addr, chaos("version.bind."), "udp")
			select {
			case <-d.exited:
				return true
			default:
				return err == nil
			}
		})
		if !strings.Contains(d.log.String(), "address already in use") {
			break
		}
	}
	if r := d.ask("ns1.one.example.", dns.TypeA); len(r.Answer) != 1 {
		t.Fatalf("an included zone: %v", r)
	}
	diff := func() (string, int) { return d.ctl("diff") }
	if out, code := diff(); code != 0 || !strings.Contains(out, "a reload changes nothing ("+d.config+", "+conf+"/one.toml)") {
		t.Errorf("nothing has changed: exit code %d: %s", code, out)
	}
	put("conf.d/zones/two.zone", zone("192.0.2.2"))
	put("conf.d/two.toml", "[cache]\nmax_ttl = \"12h\"\nmemory = \"64MiB\"\n[[zone]]\nname = \"two.example.\"\nfile = \"zones/two.zone\"\n")
	put("conf.d/zones/one.zone", zone("192.0.2.11")+"more A 192.0.2.12\n")
	out, code := diff()
	for _, want := range []string{
		conf + "/two.toml:2: cache.max_ttl: a reload applies it\n  - \"24h\"\n  + \"12h\"\n",
		conf + "/two.toml:3: cache.memory: it waits for a restart\n  - \"256MiB\"\n  + \"64MiB\"\n",
		conf + "/two.toml:4: zone \"two.example.\": a reload applies it\n  + \"" + conf + "/zones/two.zone\"\n",
		"zone one.example.: it is read again",
		"restart the daemon for what waits",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, lacks %q:\n%s", code, want, out)
		}
	}
	if r := d.ask("ns1.two.example.", dns.TypeA); r.Rcode != dns.RcodeRefused {
		t.Errorf("diff has changed something: %v", r)
	}
	if out, code := d.ctl("reload"); code != 0 || !strings.Contains(out, "cache.max_ttl") || !strings.Contains(out, "loaded anew: zone two.example.") {
		t.Errorf("reload: exit code %d: %s", code, out)
	}
	if r := d.ask("ns1.two.example.", dns.TypeA); len(r.Answer) != 1 {
		t.Errorf("after the reload: %v", r)
	}
	if out, code := diff(); code != 1 || strings.Contains(out, "max_ttl") || !strings.Contains(out, "cache.memory") {
		t.Errorf("after the reload, exit code %d: %s", code, out)
	}
	put("conf.d/three.toml", "# the same key again\n[cache]\nmax_ttl = \"6h\"\n")
	const twice = "/two.toml:2: cache.max_ttl: stands in "
	if out, code := diff(); code != 2 || !strings.Contains(out, twice+conf+"/three.toml:3 as well") {
		t.Errorf("a key that stands twice, exit code %d: %s", code, out)
	}
	if out, code := d.ctl("reload"); code != 1 || !strings.Contains(out, twice) {
		t.Errorf("a reload with a key that stands twice, exit code %d: %s", code, out)
	}
	if out, err := exec.Command(shipped(t, "heimdalld"), "-check", "-config", d.config).CombinedOutput(); err == nil || !strings.Contains(string(out), twice) {
		t.Errorf("-check: %v %s", err, out)
	}
	os.Remove(filepath.Join(conf, "three.toml"))
	os.Remove(filepath.Join(conf, "one.toml"))
	if out, code := diff(); code != 1 || !strings.Contains(out, "zone \"one.example.\": a reload applies it\n  - \""+conf+"/zones/one.zone\"\n") {
		t.Errorf("a zone that goes, exit code %d: %s", code, out)
	}
	if out, code := d.ctl("-json", "status"); code != 0 || !strings.Contains(out, conf+"/two.toml") {
		t.Errorf("status does not tell the files: %s", out)
	}
}
