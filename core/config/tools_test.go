package config

import "testing"

// Configurations as tools outside of the project write them load.
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
		if _, problems := Load("f", []byte(text)); problems.Err() != nil {
			t.Errorf("%s: %v", name, problems)
		}
	}
}
