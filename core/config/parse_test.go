package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// problemsOf loads a text and returns what is wrong, one problem a line.
func problemsOf(text string) string {
	_, problems := Load("f", []byte(text))
	var b strings.Builder
	for _, p := range problems {
		if p.Warning {
			b.WriteString("warning ")
		}
		b.WriteString(p.Error() + "\n")
	}
	return b.String()
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty": {"", ""},

		"unknown key":          {"[cache]\n\nmemroy = \"1MiB\"\n", `f:3: cache.memroy: unknown key; did you mean "memory"?`},
		"key of another table": {"[server]\nmax_ttl = \"1h\"\n", `f:2: server.max_ttl: unknown key; there is one in [cache]`},
		"nothing like it":      {"[server]\nfrobnicate = 1\n", `f:2: server.frobnicate: unknown key`},
		"unknown table":        {"\n[serve]\nlisten = []\n", `f:2: serve: unknown table; did you mean "server"?`},
		"table below a key":    {"[cache.memory]\nx = 1\n", `f:1: cache.memory: want a size in quotes, such as "256MiB", not a table`},
		"nested table":         {"[cache.x]\ny = 1\n", `f:1: cache.x: unknown key`},
		"no table":             {"batch = 1\n", `f:1: batch: key outside of a table; a key of this name belongs below the line [io]`},
		"table's name":         {"memory = \"1MiB\"\n", `f:1: memory: want a table; write [memory]; a key of this name belongs below the line [cache]`},
		"key for a table":      {"cache = 1\n", `f:1: cache: want a table; write [cache]`},
		"dotted key":           {"cache.memory = 1\n", `f:1: cache.memory: want a size in quotes, such as "256MiB", not the number 1`},
		"inline table":         {"cache = { engine = \"x\" }\n", `f:1: cache.engine: "x" is none of segment, ristretto`},
		"quoted key":           {"[cache]\n\"a.b\" = 1\n", `f:2: cache."a.b": unknown key`},

		"bool":         {"[cpu]\npin = \"yes\"\n", `f:2: cpu.pin: want true or false, not the text "yes"`},
		"number":       {"[io]\nbatch = \"64\"\n", `f:2: io.batch: want a number of datagrams, not the text "64"`},
		"fraction":     {"[io]\nbatch = 1.5\n", `f:2: io.batch: want a number of datagrams, not the number 1.5`},
		"range":        {"[io]\nbatch = 0\n", `f:2: io.batch: 0 is out of range: 1 to 1024 datagrams`},
		"size range":   {"[cache]\nmemory = \"512KiB\"\n", `f:2: cache.memory: 512KiB is out of range: 1MiB to 16TiB`},
		"size unit":    {"[cache]\nmemory = \"512MB\"\n", `f:2: cache.memory: size "512MB" needs one of the units B, KiB, MiB, GiB, TiB; did you mean "512MiB"`},
		"no size unit": {"[cache]\nmemory = \"512\"\n", `f:2: cache.memory: size "512" needs one of the units B, KiB, MiB, GiB, TiB; write it like "256MiB" or "64KiB"`},
		"duration": {"[cache]\nmax_ttl = \"1w\"\n",
			`f:2: cache.max_ttl: duration "1w" needs one of the units ns, us, ms, s, m, h, d; write it like "24h" or "1.8s"`},
		"duration range": {"[cache]\nmax_ttl = \"8d\"\n", `f:2: cache.max_ttl: 8d is out of range: 1s to 7d`},
		"negative":       {"[cache]\nmin_ttl = \"-1s\"\n", `f:2: cache.min_ttl: duration "-1s" must not be negative`},
		"overflow":       {"[cache]\nmin_ttl = \"99999999999d\"\n", `f:2: cache.min_ttl: duration "99999999999d" is too large`},
		"enum":           {"[cache]\nengine = \"segmnet\"\n", `f:2: cache.engine: "segmnet" is none of segment, ristretto; did you mean "segment"?`},
		"date":           {"[recursion]\nvalidation_time = 2026-01-01\n", `f:2: recursion.validation_time: want a time in quotes, such as "2026-01-31T12:00:00Z", not a date without quotes`},
		"time":           {"[recursion]\nvalidation_time = \"now\"\n", `f:2: recursion.validation_time: "now" is no time: want a time in quotes, such as "2026-01-31T12:00:00Z"`},
		"long text":      {"[server]\nversion = \"" + strings.Repeat("x", 256) + "\"\n", `f:2: server.version: has 256 octets: 0 to 255 octets`},
		"empty text":     {"[admin]\nsocket = \"\"\n", `f:2: admin.socket: must not be empty`},

		"probe name":       {"[health]\nprobe_name = \"a..b\"\n", `f:2: health.probe_name: parse name "a..b": empty label`},
		"service prefix":   {"[anycast]\naddresses = [\"192.0.2.53/32\"]\n", `f:2: anycast.addresses: "192.0.2.53/32" is no address, such as "192.0.2.53" or "2001:db8::53", without port and prefix length`},
		"service loopback": {"[anycast]\naddresses = [\"127.0.0.53\"]\n", `f:2: anycast.addresses: "127.0.0.53" is no address that can be routed`},

		"address":      {"[server]\nlisten = [\"127.0.0.1\"]\n", `f:2: server.listen: "127.0.0.1" is no address with a port, such as "192.0.2.53:53" or "[2001:db8::53]:53"`},
		"no addresses": {"[server]\nlisten = []\n", `f:2: server.listen: must not be empty`},
		"one address":  {"[server]\nlisten = \"127.0.0.1:53\"\n", `f:2: server.listen: want a list of addresses such as "192.0.2.53:53", not the text "127.0.0.1:53"`},
		"elements have lines": {"[server]\nlisten = [\n  \"127.0.0.1:53\", # a\n  \"x\",\n\n  53,\n]\n",
			"f:4: server.listen: \"x\" is no address with a port, such as \"192.0.2.53:53\" or \"[2001:db8::53]:53\"\n" +
				"f:6: server.listen: want a list of addresses such as \"192.0.2.53:53\", not of the number 53"},
		"twice":        {"[server]\nlisten = [\"127.0.0.1:53\",\n\"127.0.0.1:53\"]\n", `f:3: server.listen[1]: 127.0.0.1:53 stands twice`},
		"twice mapped": {"[server]\nlisten = [\"127.0.0.1:53\", \"[::ffff:127.0.0.1]:53\"]\n", `f:2: server.listen[1]: 127.0.0.1:53 stands twice`},
		"port 0":       {"[server]\nlisten = [\"127.0.0.1:0\"]\n", `f:2: server.listen: "127.0.0.1:0": port 0 stands for none`},
		"link-local":   {"[server]\nlisten = [\"[fe80::1]:53\"]\n", `f:2: server.listen: "[fe80::1]:53": a link-local address needs its interface, such as "[fe80::1%eth0]:53"`},
		"prefix":       {"[recursion]\nallow = [\"10.0.0.1/8\"]\n", `f:2: recursion.allow: "10.0.0.1/8" has bits beyond its length; did you mean "10.0.0.0/8"`},
		"no length":    {"[recursion]\nallow = [\"10.0.0.1\"]\n", `f:2: recursion.allow: "10.0.0.1" has no prefix length; for one address write "10.0.0.1/32"`},
		"name":         {"[recursion]\nnegative_trust_anchors = [\"a..b\"]\n", `f:2: recursion.negative_trust_anchors: parse name "a..b": empty label`},
		"interface":    {"[xdp]\ninterfaces = [\"eth 0\"]\n", `f:2: xdp.interfaces: "eth 0" cannot be the name of a network interface`},

		"shards":     {"[cpu]\nshards = 0\n", `f:2: cpu.shards: 0 is out of range: 1 to 1024 shards`},
		"shard type": {"[cpu]\nshards = true\n", `f:2: cpu.shards: want "auto", a number, or a CPU list such as "0-3,8", not true`},
		"CPU list":   {"[cpu]\nshards = \"3-1\"\n", `f:2: cpu.shards: CPU list "3-1": range 3-1 runs backwards`},
		"memory for shards": {"[cpu]\nshards = \"0-7\"\n[cache]\nmemory = \"1MiB\"\n",
			`f:4: cache.memory: 1MiB is too little for 8 shards: each needs 256KiB`},
		"housekeeping": {"[cpu]\nshards = \"0-3\"\nhousekeeping = \"3,4\"\n", `warning f:3: cpu.housekeeping: CPU 3 is also in cpu.shards: its shard will be interrupted`},

		"ttls":          {"[cache]\nmin_ttl = \"2h\"\nmax_ttl = \"1h\"\nmax_negative_ttl = \"2h\"\n", `f:2: cache.min_ttl: 2h is more than cache.max_ttl, 1h`},
		"per client":    {"[tcp]\nmax_connections = 10\n", `f:1: tcp.max_per_client: 256 is more than tcp.max_connections, 10`},
		"no interfaces": {"[xdp]\nmode = \"native\"\n", `f:1: xdp.interfaces: is empty: with xdp.mode = "native" name at least one, such as ["eth0"]`},
		"no io_uring":   {"[io]\nbackend = \"uring\"\n", `f:2: io.backend: there is no io_uring yet; set "auto" or "mmsg"`},
		"xsk needs xdp": {"[io]\nbackend = \"xsk\"\n", `f:2: io.backend: "xsk" gets its packets from the XDP program: set xdp.mode to "native" or "generic"`},
		"no family":     {"[recursion]\nipv4 = false\nipv6 = false\n", `f:2: recursion.ipv4: recursion.ipv4 and recursion.ipv6 are false: no server can be asked; set one, or recursion.enabled = false`},
		"open resolver": {"[server]\nlisten = [\"192.0.2.1:53\"]\n[recursion]\nallow = [\"0.0.0.0/0\"]\n",
			`warning f:4: recursion.allow: everybody may use recursion: without a firewall this is an open resolver, which others will abuse`},

		"missing":       {"\n[[forward]]\nzone = \".\"\n", `f:2: forward[0].servers: is missing`},
		"single table":  {"[forward]\nzone = \".\"\n", `f:1: forward: want a list of tables; write [[forward]] instead of [forward]`},
		"not a table":   {"forward = \".\"\n", `f:1: forward: want a list of tables; write [[forward]]`},
		"list of texts": {"forward = [\".\"]\n", `f:1: forward: want tables; write [[forward]] above each`},
		"second forward": {"[[forward]]\nzone = \".\"\nservers = [\"192.0.2.1\"]\n[[forward]]\nzone = \"a.\"\nserver = [\"192.0.2.1\"]\n",
			"f:4: forward[1].servers: is missing\nf:6: forward[1].server: unknown key; did you mean \"servers\"?"},
		"zone twice": {"[[forward]]\nzone = \"Corp.example\"\nservers = [\"192.0.2.1\"]\n[[stub]]\nzone = \"corp.example.\"\nservers = [\"192.0.2.1\"]\n",
			`f:5: stub[0].zone: corp.example. is that of forward[0] in line 1 as well: one list of servers has to answer for it`},
		"server twice":  {"[[forward]]\nzone = \".\"\nservers = [\"192.0.2.1\", \"192.0.2.1:53\"]\n", `f:3: forward[0].servers[1]: 192.0.2.1:53 stands twice`},
		"itself":        {"[[forward]]\nzone = \".\"\nservers = [\"127.0.0.1:1053\"]\n", `f:3: forward[0].servers[0]: 127.0.0.1:1053 is in server.listen: it would ask itself`},
		"itself on all": {"[server]\nlisten = [\"0.0.0.0:53\"]\n[[stub]]\nzone = \".\"\nservers = [\"127.0.0.1\"]\n", `f:5: stub[0].servers[0]: 127.0.0.1:53 is in server.listen: it would ask itself`},
		"tls":           {"[[forward]]\nzone = \".\"\nservers = [\"tls://192.0.2.1\"]\n", `f:3: forward[0].servers: "tls://192.0.2.1": this build asks servers over UDP and TCP only; write the address alone, such as "192.0.2.53:53"`},
		"family off":    {"[recursion]\nipv6 = false\n[[forward]]\nzone = \".\"\nservers = [\"2001:db8::1\"]\n", `f:5: forward[0].servers: none can be asked: recursion.ipv4 or recursion.ipv6 is false`},
		"zones": {"[[zone]]\nname = \"a\"\nfile = \"x\"\n[[zone]]\nname = \"A.\"\nfile = \"y\"\n[[stub]]\nzone = \"a\"\nservers = [\"192.0.2.1\"]\n",
			"f:2: zone[0].name: a. is that of stub[0] in line 7 as well: it is served from the file, nobody is asked\n" +
				"f:5: zone[1].name: a. is that of zone[0] in line 1 as well\n" +
				"f:5: zone[1].name: a. is that of stub[0] in line 7 as well: it is served from the file, nobody is asked"},

		"service address not served": {"[server]\nlisten = [\"192.0.2.1:53\", \"[::]:53\"]\n[anycast]\naddresses = [\"2001:db8::53\",\n\"192.0.2.1\", \"192.0.2.53\",\n\"2001:db8::53\"]\n",
			"f:5: anycast.addresses[2]: 192.0.2.53 is not served: add it to server.listen with its port, or listen at all addresses\n" +
				"f:6: anycast.addresses[3]: 2001:db8::53 stands twice"},
		"service interface": {"[anycast]\ninterface = \"a/b\"\nlease = \"2500ms\"\n",
			"f:2: anycast.interface: \"a/b\" cannot be the name of a network interface\nf:3: anycast.lease: 2.5s is not a number of whole seconds, in which the kernel counts"},

		"syntax":        {"[io]\nbatch 64\n", `f:2: io.batch: want a key and a value, such as: key = "value"; want a number of datagrams`},
		"bare unit":     {"[cache]\nmax_ttl = 10s\n", `f:2: cache.max_ttl: a value with a unit needs quotes: "10s"`},
		"key twice":     {"[io]\nbatch = 1\nbatch = 2\n", `f:3: io.batch: the key or the table stands twice; keep one`},
		"open string":   {"[io]\nbackend = \"auto\nbatch = 0\n", "f:2: io.backend: the quotes that begin a text are not closed in its line; want a text in quotes\nf:3: io.batch: 0 is out of range: 1 to 1024 datagrams"},
		"open list":     {"[server]\nlisten = [\"x\"\n[io]\nbatch = 0\n", "f:3: server.listen: a comma between two elements, or the bracket that closes the list, is missing; want a list of addresses such as \"192.0.2.53:53\" (in what begins in line 2)\nf:4: io.batch: 0 is out of range: 1 to 1024 datagrams"},
		"broken header": {"[io\nbatch = 0\n[cpu]\npin = 1\n", "f:1: io: the bracket that closes the name of the table is missing\nf:4: cpu.pin: want true or false, not the number 1"},
		"several": {"[io]\nbatch = \nspin = 20us\n[cahce]\nx = 1\n[cpu]\npin = 1\nshards = \"x\n",
			"f:2: io.batch: the value is missing, or it is a text without quotes; want a number of datagrams\nf:3: io.spin: a value with a unit needs quotes: \"20us\"\n" +
				"f:4: cahce: unknown table; did you mean \"cache\"?\nf:7: cpu.pin: want true or false, not the number 1\n" +
				"f:8: cpu.shards: the quotes that begin a text are not closed in its line; want \"auto\", a number, or a CPU list such as \"0-3,8\""},
		"bad octets":       {"[io]\n# \xff\nbatch = 0\n", "f:2: invalid UTF-8 byte: 0xff\nf:3: io.batch: 0 is out of range: 1 to 1024 datagrams"},
		"carriage returns": {"[io]\r\nbatch = 0\r\n[cahce]\r\n", "f:2: io.batch: 0 is out of range: 1 to 1024 datagrams\nf:3: cahce: unknown table; did you mean \"cache\"?"},
	} {
		if got := strings.TrimSuffix(problemsOf(c.text), "\n"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	c, problems := Load("f", []byte(`
[server]
listen = ["0.0.0.0:53", "[::]:53"]
version = ""
[cpu]
shards = "8,0-3"
housekeeping = "4-7"
[cache]
memory = "1.5GiB"
max_ttl = "1d12h"
[recursion]
validation_time = "2026-01-31T12:00:00+01:00"
negative_trust_anchors = ["Corp.Example"]
allow = ["::1/128"]
[admin]
metrics = "127.0.0.1:9153"
[[forward]]
zone = "."
servers = ["192.0.2.1", "[2001:db8::1]:5353"]
`))
	if problems != nil {
		t.Fatal(problems)
	}
	want := Default()
	want.source = c.source
	want.Server.Listen = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:53"), netip.MustParseAddrPort("[::]:53")}
	want.Server.Version = ""
	want.CPU.Shards = Shards{CPUs: []int{0, 1, 2, 3, 8}}
	want.CPU.Housekeeping = CPUs{4, 5, 6, 7}
	want.Cache.Memory = 3 << 29
	want.Cache.MaxTTL = 36 * time.Hour
	want.Recursion.ValidationTime = c.Recursion.ValidationTime
	want.Recursion.NegativeTrustAnchors = append(want.Recursion.NegativeTrustAnchors, []byte("\x04corp\x07example\x00"))
	want.Recursion.Allow = []netip.Prefix{netip.MustParsePrefix("::1/128")}
	want.Admin.Metrics = netip.MustParseAddrPort("127.0.0.1:9153")
	want.Forward = []Upstream{{Zone: []byte{0}, Servers: []netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:5353")}}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("loaded\n%+v\nwant\n%+v", c, want)
	}
	if got := c.Recursion.ValidationTime.Unix(); got != 1769857200 {
		t.Errorf("validation time %d", got)
	}
}

// What is wrong leaves the default in place, and does not hide what else is wrong.
func TestWrongValuesLeaveDefaults(t *testing.T) {
	c, problems := Parse("f", []byte("[cache]\nmemory = 1\nmax_ttl = 1\n[xdp]\ninterfaces = [\"a\", 1]\n"))
	if len(problems) != 3 {
		t.Errorf("problems %v", problems)
	}
	c.source = origin{}
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("config %+v", c)
	}
}

func TestResolvePaths(t *testing.T) {
	c := Default()
	c.Recursion.RootHints = "root.hints"
	c.Recursion.TrustAnchorState = "root.keys"
	c.Zone = []Zone{{File: "zones/a"}, {File: "/srv/b"}}
	c.ResolvePaths("/etc/heimdall")
	got := []string{c.Recursion.RootHints, c.Recursion.TrustAnchors, c.Recursion.TrustAnchorState, c.Admin.Socket, c.Zone[0].File, c.Zone[1].File}
	want := []string{"/etc/heimdall/root.hints", "", "/etc/heimdall/root.keys", "/etc/heimdall/heimdall.sock", "/etc/heimdall/zones/a", "/srv/b"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
}
