package config

import "time"

// key is what is known about one key.
type key struct {
	Name    string // "section.key"
	Default any    // as the toml package returns it
	// Min and Max bound the value: sizes in bytes, durations in nanoseconds, numbers and the lengths of
	// texts and lists in Unit. Both 0: no bounds.
	Min, Max int64
	Unit     string
	Values   []string // the only texts allowed; nil: any
	Reload   bool     // a reload applies it; false: a restart does
}

const (
	kib = 1 << 10
	mib = 1 << 20
	tib = 1 << 40

	ms   = int64(time.Millisecond)
	sec  = int64(time.Second)
	hour = int64(time.Hour)
	day  = 24 * hour
)

// Most prefixes of clients. The kernel's table is made for as many as there are; with all of them it takes 170 MB, and a
// change some two seconds.
const (
	maxAllowed = 1 << 20 // that may use recursion
	maxApart   = 1 << 16 // that are exempt from the limit, and that are denied
)

// none is the default of lists that are empty.
var none = []any{}

// doNotQuery is the default of recursion.do_not_query: private networks (RFC 1918, RFC 6598, RFC 4193), link-local ones
// (RFC 3927, RFC 4291), what is reserved (RFC 1112) and what leads nowhere (RFC 6666).
var doNotQuery = []any{
	"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "240.0.0.0/4", "::/96", "100::/64",
	"fc00::/7", "fe80::/10", "fec0::/10",
}

// rcodes are the response codes that Heimdall or the servers that it asks give.
var rcodes = []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "BADVERS"}

// dnstapMessages are the types of dnstap messages that Heimdall has, in the order of their numbers.
var dnstapMessages = []any{
	"auth_query", "auth_response", "resolver_query", "resolver_response", "client_query", "client_response", "forwarder_query",
	"forwarder_response",
}

// texts are the elements of a default that is a list of texts.
func texts(list []any) (out []string) {
	for _, v := range list {
		out = append(out, v.(string))
	}
	return out
}

// keys are all keys outside of [[forward]], [[stub]] and [[zone]], in the order in which config.toml explains
// them. Where no comment says where a bound is from, it keeps slips of the pen from being taken for wishes.
var keys = []key{
	{Name: "server.listen", Default: []any{"127.0.0.1:1053", "[::1]:1053"}, Min: 1, Max: 1024, Unit: "addresses"},
	{Name: "server.freebind", Default: false},
	// RFC 6891, section 6.2.3: less than 512 octets is taken as 512; section 6.2.5: 4096 is the most to start with.
	{Name: "server.udp_payload", Default: int64(1232), Min: 512, Max: 4096, Unit: "octets", Reload: true},
	{Name: "server.rcvbuf", Default: "4MiB", Max: 1024 * mib},
	{Name: "server.sndbuf", Default: "1MiB", Max: 1024 * mib},
	// RFC 1035, section 3.3: a character string has at most 255 octets.
	{Name: "server.version", Default: "Heimdall", Max: 255, Unit: "octets", Reload: true},
	{Name: "server.identity", Default: "", Max: 255, Unit: "octets", Reload: true},
	{Name: "server.hostname", Default: "", Max: 255, Unit: "octets", Reload: true},
	{Name: "server.minimal_any", Default: false, Reload: true},

	{Name: "tcp.max_connections", Default: int64(1024), Min: 1, Max: 1_000_000, Unit: "connections"},
	{Name: "tcp.max_per_client", Default: int64(256), Min: 1, Max: 1_000_000, Unit: "connections"},
	// RFC 7828, section 3.1: the timeout that clients are told has 16 bits of 100 ms.
	{Name: "tcp.idle_timeout", Default: "10s", Min: 100 * ms, Max: 65535 * 100 * ms},
	{Name: "tcp.max_pipelined", Default: int64(64), Min: 1, Max: 65535, Unit: "queries"},
	{Name: "tcp.max_queued", Default: "128KiB", Min: 4 * kib, Max: 1024 * mib},

	{Name: "cpu.shards", Default: "auto", Min: 1, Max: 1024, Unit: "shards", Reload: true},
	{Name: "cpu.pin", Default: true},
	{Name: "cpu.housekeeping", Default: "auto"},

	{Name: "io.backend", Default: "auto", Values: []string{"auto", "mmsg", "xsk", "uring"}},
	// 1024 is the most that recvmmsg and sendmmsg take (UIO_MAXIOV).
	{Name: "io.batch", Default: int64(64), Min: 1, Max: 1024, Unit: "datagrams"},
	{Name: "io.spin", Default: "0s", Max: 10 * ms},
	{Name: "io.busy_poll", Default: "0s", Max: 10 * ms},
	{Name: "io.shed_after", Default: "100ms", Max: 60 * sec, Reload: true},

	{Name: "memory.huge_pages", Default: true},
	// The least has room for the longest query and response.
	{Name: "memory.record_ring", Default: "4MiB", Min: 512 * kib, Max: 1024 * mib, Reload: true},

	{Name: "xdp.mode", Default: "off", Values: []string{"off", "auto", "native", "generic"}},
	{Name: "xdp.interfaces", Default: none, Max: 64, Unit: "interfaces"},
	{Name: "xdp.answer_cache", Default: true},
	{Name: "xdp.answer_entries", Default: int64(65536), Min: 1, Max: 16 << 20, Unit: "answers"},
	{Name: "xdp.answer_min_hits", Default: int64(4), Min: 1, Max: 65535, Unit: "hits"},
	{Name: "xdp.reverse_path", Default: "off", Values: []string{"off", "loose", "strict"}},
	{Name: "xdp.steer", Default: "flow", Values: []string{"flow", "cpu", "name"}},

	{Name: "limit.queries_per_second", Default: int64(0), Max: 100_000_000, Unit: "queries", Reload: true},
	{Name: "limit.burst", Default: int64(100), Min: 1, Max: 100_000_000, Unit: "queries", Reload: true},
	{Name: "limit.slip", Default: int64(2), Max: 1_000_000, Unit: "queries", Reload: true},
	{Name: "limit.ipv4_prefix", Default: int64(24), Min: 8, Max: 32, Unit: "bits", Reload: true},
	// The XDP program keeps 64 bits of a client.
	{Name: "limit.ipv6_prefix", Default: int64(56), Min: 16, Max: 64, Unit: "bits", Reload: true},
	{Name: "limit.exempt", Default: none, Max: maxApart, Unit: "prefixes", Reload: true},
	{Name: "limit.deny", Default: none, Max: maxApart, Unit: "prefixes", Reload: true},

	{Name: "cache.memory", Default: "256MiB", Min: mib, Max: 16 * tib},
	{Name: "cache.engine", Default: "segment", Values: []string{"segment", "ristretto"}},
	{Name: "cache.min_ttl", Default: "0s", Max: day, Reload: true},
	// RFC 8767, section 4: at most 7 days.
	{Name: "cache.max_ttl", Default: "24h", Min: sec, Max: 7 * day, Reload: true},
	// RFC 2308, section 5: one to three hours work well, more than a day does not.
	{Name: "cache.max_negative_ttl", Default: "1h", Max: day, Reload: true},
	// RFC 9520, section 3.2: at least 1 s; RFC 2308, section 7.1: at most 5 min.
	{Name: "cache.servfail_ttl", Default: "5s", Min: sec, Max: 300 * sec, Reload: true},
	{Name: "cache.max_entry", Default: "64KiB", Min: 512, Max: 512 * kib, Reload: true},
	// RFC 8767, section 5: 1 to 3 days.
	{Name: "cache.stale", Default: "24h", Max: 7 * day, Reload: true},
	{Name: "cache.stale_answer_ttl", Default: "30s", Min: sec, Max: hour, Reload: true},
	{Name: "cache.stale_client_timeout", Default: "1.8s", Max: 60 * sec, Reload: true},
	{Name: "cache.prefetch", Default: int64(10), Max: 90, Unit: "percent", Reload: true},
	{Name: "cache.prefetch_min_hits", Default: int64(3), Min: 1, Max: 65535, Unit: "hits", Reload: true},
	{Name: "cache.file", Default: "", Max: 4095, Unit: "octets", Reload: true},
	{Name: "cache.save_interval", Default: "0s", Max: 7 * day, Reload: true},
	{Name: "cache.save_rate", Default: "64MiB", Max: tib, Reload: true},

	{Name: "resolver.in_flight", Default: int64(4096), Min: 1, Max: 1 << 20, Unit: "queries"},
	{Name: "resolver.waiting", Default: int64(16384), Min: 1, Max: 1 << 20, Unit: "queries"},
	{Name: "resolver.per_client", Default: int64(25), Min: 1, Max: 100, Unit: "percent"},
	{Name: "resolver.client_ipv4_prefix", Default: int64(32), Min: 8, Max: 32, Unit: "bits"},
	{Name: "resolver.client_ipv6_prefix", Default: int64(56), Min: 16, Max: 128, Unit: "bits"},
	{Name: "resolver.timeout", Default: "4s", Min: 100 * ms, Max: 60 * sec},
	{Name: "resolver.upstream_ports", Default: int64(4096), Min: 16, Max: 16384, Unit: "sockets"},
	{Name: "resolver.case_randomisation", Default: true},
	{Name: "resolver.cookies", Default: true},

	{Name: "recursion.enabled", Default: true},
	{Name: "recursion.root_hints", Default: "", Max: 4095, Unit: "octets"},
	{Name: "recursion.trust_anchors", Default: "", Max: 4095, Unit: "octets", Reload: true},
	{Name: "recursion.trust_anchor_state", Default: "", Max: 4095, Unit: "octets"},
	{Name: "recursion.validation", Default: true, Reload: true},
	{Name: "recursion.validation_time", Default: ""},
	{Name: "recursion.qname_minimisation", Default: true},
	{Name: "recursion.allow", Default: []any{"127.0.0.0/8", "::1/128"}, Max: maxAllowed, Unit: "prefixes", Reload: true},
	{Name: "recursion.ipv4", Default: true},
	{Name: "recursion.ipv6", Default: true},
	{Name: "recursion.query_loopback", Default: false},
	{Name: "recursion.do_not_query", Default: doNotQuery, Max: 256, Unit: "prefixes"},
	{Name: "recursion.harden_glue", Default: true},
	{Name: "recursion.negative_trust_anchors", Default: none, Max: 1 << 16, Unit: "names", Reload: true},

	{Name: "local.special_names", Default: true, Reload: true},

	{Name: "health.interval", Default: "1s", Min: 100 * ms, Max: 60 * sec, Reload: true},
	{Name: "health.timeout", Default: "2s", Min: 100 * ms, Max: 10 * sec, Reload: true},
	{Name: "health.recursion", Default: true, Reload: true},
	{Name: "health.probe_name", Default: "", Reload: true},

	{Name: "anycast.addresses", Default: none, Max: 64, Unit: "addresses", Reload: true},
	// 15 is what fits into IFNAMSIZ with its final zero.
	{Name: "anycast.interface", Default: "lo", Min: 1, Max: 15, Unit: "octets", Reload: true},
	{Name: "anycast.up_after", Default: "5s", Max: hour, Reload: true},
	{Name: "anycast.down_after", Default: "2s", Max: hour, Reload: true},
	{Name: "anycast.drain_wait", Default: "2s", Max: 60 * sec, Reload: true},
	// The kernel counts lifetimes in seconds, and is up to one late; the daemon renews them three times within each.
	{Name: "anycast.lease", Default: "3s", Min: 2 * sec, Max: 300 * sec, Reload: true},
	{Name: "security.sandbox", Default: "auto", Values: []string{"auto", "off"}},
	{Name: "security.folders", Default: none, Max: 256, Unit: "folders"},

	// 107 is what fits into sun_path with its final zero.
	{Name: "admin.socket", Default: "heimdall.sock", Min: 1, Max: 107, Unit: "octets"},
	{Name: "admin.metrics", Default: ""},
	{Name: "admin.metrics_upstreams", Default: int64(0), Max: 64, Unit: "servers", Reload: true},
	{Name: "admin.web", Default: ""},
	{Name: "admin.web_top", Default: false, Reload: true},

	{Name: "log.level", Default: "info", Values: []string{"debug", "info", "warn", "error"}, Reload: true},
	{Name: "log.format", Default: "auto", Values: []string{"auto", "text", "json", "journald"}, Reload: true},
	{Name: "log.burst", Default: int64(100), Max: 1_000_000, Unit: "lines", Reload: true},

	{Name: "query_log.enabled", Default: false, Reload: true},
	{Name: "query_log.file", Default: "", Max: 4095, Unit: "octets", Reload: true},
	{Name: "query_log.format", Default: "text", Values: []string{"text", "json"}, Reload: true},
	{Name: "query_log.sample", Default: int64(1), Max: 1_000_000_000, Unit: "responses", Reload: true},
	{Name: "query_log.max_per_second", Default: int64(0), Max: 100_000_000, Unit: "lines", Reload: true},
	{Name: "query_log.rcodes", Default: none, Values: rcodes, Reload: true},
	{Name: "query_log.names", Default: none, Max: 65536, Unit: "names", Reload: true},
	{Name: "query_log.clients", Default: none, Max: 256, Unit: "prefixes", Reload: true},
	{Name: "query_log.slower_than", Default: "0s", Max: 60 * sec, Reload: true},

	{Name: "dnstap.output", Default: "", Max: 4095, Unit: "octets", Reload: true},
	{Name: "dnstap.messages", Default: dnstapMessages, Values: texts(dnstapMessages), Reload: true},
	{Name: "dnstap.sample", Default: int64(1), Min: 1, Max: 1_000_000_000, Unit: "messages", Reload: true},
	{Name: "dnstap.identity", Default: "", Max: 255, Unit: "octets", Reload: true},
}

// Keys of one element of [[forward]] and [[stub]], and of [[zone]]. Those without a default are required. A reload
// applies them.
var (
	upstreamKeys = []key{
		{Name: "zone", Reload: true},
		{Name: "servers", Min: 1, Max: 64, Unit: "servers", Reload: true},
	}
	zoneKeys = []key{
		{Name: "name", Reload: true},
		{Name: "file", Min: 1, Max: 4095, Unit: "octets", Reload: true},
		{Name: "include_folder", Default: "", Max: 4095, Unit: "octets", Reload: true},
	}
)
