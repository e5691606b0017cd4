package config

import (
	"fmt"
	"strings"
	"testing"
)

// What is not in a build is refused by name; what has no effect passes.
func TestFeatures(t *testing.T) {
	for _, c := range []struct {
		text string
		with Features // the least that takes it
		want string   // without any
	}{
		{"[xdp]\nmode = \"native\"\ninterfaces = [\"eth0\"]\n", Features{XDP: true}, `f:2: xdp.mode: the XDP program is not in this build; set "off"`},
		{"[xdp]\nmode = \"auto\"\ninterfaces = [\"eth0\"]\n", Features{XDP: true}, `f:2: xdp.mode: the XDP program is not in this build; set "off"`},
		{"[io]\nbackend = \"uring\"\n", Features{Uring: true}, `f:2: io.backend: io_uring is not in this build; set "auto" or "mmsg"`},
		{"[xdp]\nsteer = \"name\"\n", Features{SteerName: true}, `f:2: xdp.steer: steering by name is not in this build; set "flow" or "cpu"`},
		{"[[zone]]\nname = \"a.\"\nfile = \"a\"\n", Features{Zones: true}, `f:1: zone[0]: serving zones is not in this build; remove the table`},
		{"[recursion]\nroot_hints = \"x\"\n", Features{Recursion: true}, `f:2: recursion.root_hints: resolution from the root is not in this build; set ""`},
		{"[recursion]\ntrust_anchors = \"x\"\n", Features{DNSSEC: true}, `f:2: recursion.trust_anchors: DNSSEC validation is not in this build; set ""`},
		{"[recursion]\nvalidation_time = \"2026-01-31T12:00:00Z\"\n", Features{DNSSEC: true}, `f:2: recursion.validation_time: DNSSEC validation is not in this build; set ""`},
		{"[recursion]\nnegative_trust_anchors = [\"a\"]\n", Features{DNSSEC: true}, `f:2: recursion.negative_trust_anchors: DNSSEC validation is not in this build; set []`},
		{"[xdp]\nsteer = \"cpu\"\nanswer_cache = false\ninterfaces = [\"eth0\"]\n", Features{}, ""},
		{"[recursion]\nenabled = false\nvalidation = true\nqname_minimisation = false\nharden_glue = false\n", Features{}, ""},
	} {
		_, problems := Load("f", []byte(c.text), Features{})
		if err := problems.Err(); fmt.Sprint(err) != c.want && (err != nil || c.want != "") {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
		if _, problems = Load("f", []byte(c.text), c.with); problems.Err() != nil {
			t.Errorf("%s with %+v: %v", c.text, c.with, problems)
		}
	}
	_, problems := Load("f", []byte("[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"\ninterfaces = [\"eth0\"]\n"), Features{XDP: true})
	if got := problems.Err(); got == nil || !strings.Contains(got.Error(), "AF_XDP is not in this build") {
		t.Errorf("xsk: %v", got)
	}
}

// A build that cannot do what the defaults promise says so, and only then.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		text string
		f    Features
		want string
	}{
		{"", Features{Recursion: true, DNSSEC: true}, "[]"},
		{"", Features{}, "[f: recursion.validation: DNSSEC validation is not in this build: answers come unvalidated; false says so " +
			"f: recursion.enabled: there is no [[forward]] or [[stub]]: names that are not answered here get SERVFAIL]"},
		{"[recursion]\nvalidation = false\n[[forward]]\nzone = \".\"\nservers = [\"192.0.2.1\"]\n", Features{}, "[]"},
		{"[recursion]\nenabled = false\n", Features{}, "[]"},
	} {
		_, problems := Load("f", []byte(c.text), c.f)
		if err := problems.Err(); err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		if got := fmt.Sprint(problems.Warnings()); got != c.want {
			t.Errorf("%q: warnings %s, want %s", c.text, got, c.want)
		}
	}
}

// Configurations as tools outside of the project write them load in every build.
func TestToolsConfigurations(t *testing.T) {
	for name, text := range map[string]string{
		"benchmark": `[server]
listen = ["10.99.0.1:53"]
[cpu]
shards = 1
[io]
backend = "auto"
[xdp]
mode = "off"
interfaces = ["veth0"]
answer_cache = false
answer_entries = 131072
[cache]
memory = "512MiB"
[recursion]
allow = ["0.0.0.0/0"]
validation = false
query_loopback = true
[local]
special_names = false
[admin]
socket = "/tmp/x/heimdall.sock"
[[stub]]
zone = "bench.test."
servers = ["127.0.0.1:5300"]
`,
		"scenario player": `[server]
listen = ["127.0.0.1:53"]
[cpu]
shards = 1
[cache]
memory = "16MiB"
[recursion]
root_hints = ""
trust_anchors = ""
validation = false
validation_time = ""
qname_minimisation = true
ipv4 = true
ipv6 = false
query_loopback = true
harden_glue = false
negative_trust_anchors = []
[local]
special_names = false
[admin]
socket = "/tmp/x/heimdall.sock"
[[forward]]
zone = "."
servers = ["192.0.2.1:53", "[2001:db8::1]:53", ]
`,
		"authoritative, without its zone": `[server]
listen = ["127.0.0.1:5300"]
[cpu]
shards = 1
[cache]
memory = "1MiB"
[recursion]
enabled = false
[admin]
socket = "/tmp/x/heimdall.sock"
`,
	} {
		if _, problems := Load("f", []byte(text), Features{}); problems.Err() != nil {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestCheckShards(t *testing.T) {
	c, _ := Load("f", []byte("[cache]\nmemory = \"1MiB\"\n"), Features{})
	if err := c.CheckShards(4); err != nil {
		t.Error(err)
	}
	if err := c.CheckShards(5); err == nil || !strings.HasPrefix(err.Error(), "f:2: cache.memory: ") {
		t.Errorf("five shards: %v", err)
	}
}
