// Package config turns the text of config.toml into a checked Config.
//
// Parse reads the text, Check looks at what the values mean together, Load does both. All problems are
// found at once, each with its line. What keys there are, with range, default and whether a reload applies
// them, is one table in keys.go; the file config.toml in the root of the repository is its manual.
package config

import (
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"heimdall/affinity/cpulist"
	"heimdall/core/dname"
)

// Config is the configuration of one process. Default and Load make one; nobody changes it afterwards, so
// that it is safe for concurrent use. The field with tag b in the struct with tag a is the key a.b.
type Config struct {
	Server    Server     `toml:"server"`
	TCP       TCP        `toml:"tcp"`
	CPU       CPU        `toml:"cpu"`
	IO        IO         `toml:"io"`
	Memory    Memory     `toml:"memory"`
	XDP       XDP        `toml:"xdp"`
	Limit     Limit      `toml:"limit"`
	Cache     Cache      `toml:"cache"`
	Resolver  Resolver   `toml:"resolver"`
	Recursion Recursion  `toml:"recursion"`
	Local     Local      `toml:"local"`
	Health    Health     `toml:"health"`
	Anycast   Anycast    `toml:"anycast"`
	Security  Security   `toml:"security"`
	Admin     Admin      `toml:"admin"`
	Log       Log        `toml:"log"`
	QueryLog  QueryLog   `toml:"query_log"`
	Dnstap    Dnstap     `toml:"dnstap"`
	Forward   []Upstream `toml:"forward"`
	Stub      []Upstream `toml:"stub"`
	Zone      []Zone     `toml:"zone"`

	source origin // where the keys stand; empty for Default
}

// Server is what clients see.
type Server struct {
	Listen     []netip.AddrPort `toml:"listen"`
	FreeBind   bool             `toml:"freebind"`    // also addresses that no interface has
	UDPPayload int              `toml:"udp_payload"` // octets
	RcvBuf     Bytes            `toml:"rcvbuf"`      // of each socket
	SndBuf     Bytes            `toml:"sndbuf"`
	Version    string           `toml:"version"` // CHAOS strings; empty: REFUSED
	Identity   string           `toml:"identity"`
	Hostname   string           `toml:"hostname"`
	MinimalANY bool             `toml:"minimal_any"`
}

// TCP bounds the streams of one shard.
type TCP struct {
	MaxConnections int           `toml:"max_connections"`
	MaxPerClient   int           `toml:"max_per_client"`
	IdleTimeout    time.Duration `toml:"idle_timeout"`
	MaxPipelined   int           `toml:"max_pipelined"` // queries of one connection
	MaxQueued      Bytes         `toml:"max_queued"`    // for one connection
}

// CPU says where the shards run.
type CPU struct {
	Shards       Shards `toml:"shards"`
	Pin          bool   `toml:"pin"`
	Housekeeping CPUs   `toml:"housekeeping"` // CPUs of all other threads
}

// IO says how a shard receives and sends.
type IO struct {
	Backend   string        `toml:"backend"`
	Batch     int           `toml:"batch"` // datagrams
	Spin      time.Duration `toml:"spin"`
	BusyPoll  time.Duration `toml:"busy_poll"`  // 0: off
	ShedAfter time.Duration `toml:"shed_after"` // 0: never
}

// Memory says what kind of memory the caches lie in.
type Memory struct {
	HugePages  bool  `toml:"huge_pages"`
	RecordRing Bytes `toml:"record_ring"` // of each shard, for the query log and dnstap
}

// XDP is the tier in the kernel.
type XDP struct {
	Mode          string   `toml:"mode"`
	Interfaces    []string `toml:"interfaces"`
	AnswerCache   bool     `toml:"answer_cache"`
	AnswerEntries int      `toml:"answer_entries"`
	AnswerMinHits int      `toml:"answer_min_hits"`
	ReversePath   string   `toml:"reverse_path"`
	Steer         string   `toml:"steer"`
}

// Limit says who may ask, and how often.
type Limit struct {
	QueriesPerSecond int            `toml:"queries_per_second"` // of a client; 0: no limit
	Burst            int            `toml:"burst"`              // queries
	Slip             int            `toml:"slip"`               // of so many above the rate one is answered with TC; 0: none
	IPv4Prefix       int            `toml:"ipv4_prefix"`        // bits that make a client
	IPv6Prefix       int            `toml:"ipv6_prefix"`
	Exempt           []netip.Prefix `toml:"exempt"`
	Deny             []netip.Prefix `toml:"deny"`
}

// Cache is the answer cache.
type Cache struct {
	Memory             Bytes         `toml:"memory"` // of all shards together
	Engine             string        `toml:"engine"`
	MinTTL             time.Duration `toml:"min_ttl"`
	MaxTTL             time.Duration `toml:"max_ttl"`
	MaxNegativeTTL     time.Duration `toml:"max_negative_ttl"`
	ServfailTTL        time.Duration `toml:"servfail_ttl"`
	MaxEntry           Bytes         `toml:"max_entry"`
	Stale              time.Duration `toml:"stale"` // 0: no stale answers
	StaleAnswerTTL     time.Duration `toml:"stale_answer_ttl"`
	StaleClientTimeout time.Duration `toml:"stale_client_timeout"` // 0: only when the servers failed
	Prefetch           int           `toml:"prefetch"`             // percent of the TTL; 0: off
	PrefetchMinHits    int           `toml:"prefetch_min_hits"`
	File               string        `toml:"file"`          // empty: the caches start empty
	SaveInterval       time.Duration `toml:"save_interval"` // 0: at the end alone
	SaveRate           Bytes         `toml:"save_rate"`     // a second; 0: no bound
}

// Resolver bounds the work towards other servers; each bound is one shard's.
type Resolver struct {
	InFlight          int           `toml:"in_flight"`
	Waiting           int           `toml:"waiting"`
	PerClient         int           `toml:"per_client"`         // percent of either
	ClientIPv4Prefix  int           `toml:"client_ipv4_prefix"` // bits
	ClientIPv6Prefix  int           `toml:"client_ipv6_prefix"`
	Timeout           time.Duration `toml:"timeout"`
	UpstreamPorts     int           `toml:"upstream_ports"`
	CaseRandomisation bool          `toml:"case_randomisation"`
	Cookies           bool          `toml:"cookies"`
}

// Recursion says who may have what resolved, and how.
type Recursion struct {
	Enabled              bool           `toml:"enabled"`
	RootHints            string         `toml:"root_hints"`
	TrustAnchors         string         `toml:"trust_anchors"`
	TrustAnchorState     string         `toml:"trust_anchor_state"` // file; empty: no automatic update
	Validation           bool           `toml:"validation"`
	ValidationTime       time.Time      `toml:"validation_time"` // zero: now
	QnameMinimisation    bool           `toml:"qname_minimisation"`
	Allow                []netip.Prefix `toml:"allow"`
	IPv4                 bool           `toml:"ipv4"`
	IPv6                 bool           `toml:"ipv6"`
	QueryLoopback        bool           `toml:"query_loopback"`
	DoNotQuery           []netip.Prefix `toml:"do_not_query"`
	HardenGlue           bool           `toml:"harden_glue"`
	NegativeTrustAnchors []dname.Name   `toml:"negative_trust_anchors"`
}

// Local is what is answered without asking anybody.
type Local struct {
	SpecialNames bool `toml:"special_names"`
}

// Health is what the verdict of health is about.
type Health struct {
	Interval  time.Duration `toml:"interval"`
	Timeout   time.Duration `toml:"timeout"` // of one look
	Recursion bool          `toml:"recursion"`
	ProbeName dname.Name    `toml:"probe_name"` // lower case; nil: none
}

// Anycast is the service addresses that come and go with the verdict of health.
type Anycast struct {
	Addresses []netip.Addr  `toml:"addresses"`
	Interface string        `toml:"interface"`
	UpAfter   time.Duration `toml:"up_after"`   // of health
	DownAfter time.Duration `toml:"down_after"` // of its lack
	DrainWait time.Duration `toml:"drain_wait"` // between the last address and the end
	Lease     time.Duration `toml:"lease"`      // that the kernel keeps an address for
}

// Security is what the process may do once it serves.
type Security struct {
	Sandbox string `toml:"sandbox"`
	Folders []Path `toml:"folders"` // whose files a reload may name, beside those that the configuration names at the start
}

// Admin is how the running process is looked into.
type Admin struct {
	Socket  string         `toml:"socket"`
	Metrics netip.AddrPort `toml:"metrics"` // not valid: off
	// MetricsUpstreams is how many servers of [[forward]] and [[stub]] have metrics of their own.
	MetricsUpstreams int            `toml:"metrics_upstreams"`
	Web              netip.AddrPort `toml:"web"` // not valid: off
	WebTop           bool           `toml:"web_top"`
}

// Log is what the daemon writes about itself.
type Log struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
	Burst  int    `toml:"burst"` // lines of one kind within 10 s; 0: no limit
}

// QueryLog is a line for each response.
type QueryLog struct {
	Enabled      bool           `toml:"enabled"`
	File         string         `toml:"file"` // empty: the daemon's log
	Format       string         `toml:"format"`
	Sample       int            `toml:"sample"`         // of so many responses one has a line; 0: only those of the rules
	MaxPerSecond int            `toml:"max_per_second"` // lines; 0: no bound
	Rcodes       []string       `toml:"rcodes"`         // rules
	Names        []dname.Name   `toml:"names"`
	Clients      []netip.Prefix `toml:"clients"`
	SlowerThan   time.Duration  `toml:"slower_than"` // 0: no rule
}

// Dnstap is the stream of messages for other programs.
type Dnstap struct {
	Output   string   `toml:"output"` // "unix:PATH", "tcp:ADDRESS" or "file:PATH"; empty: off
	Messages []string `toml:"messages"`
	Sample   int      `toml:"sample"`   // of so many messages one is sent
	Identity string   `toml:"identity"` // empty: the host's name
}

// Target splits Output into what it begins with and the rest; both are empty if dnstap is off.
func (d *Dnstap) Target() (network, address string) {
	network, address, _ = strings.Cut(d.Output, ":")
	return network, address
}

// Upstream is one [[forward]] or [[stub]].
type Upstream struct {
	Zone    dname.Name       `toml:"zone"` // lower case
	Servers []netip.AddrPort `toml:"servers"`
}

// Zone is one [[zone]].
type Zone struct {
	Name          dname.Name `toml:"name"` // lower case
	File          string     `toml:"file"`
	IncludeFolder string     `toml:"include_folder"` // $INCLUDE may read below it, as below the folder of File; empty: only there
}

// Path is the name of a file or folder. In the configuration file it may start at the folder of that file.
type Path string

// Bytes is an amount of memory.
type Bytes int64

// Shards says how many shards there are, or on which CPUs.
type Shards struct {
	Count int   // 0: as many as suit the machine, or one for each of CPUs
	CPUs  []int // ascending; nil: chosen by the daemon
}

// String returns the value as it stands in the file.
func (s Shards) String() string {
	switch {
	case s.CPUs != nil:
		return strconv.Quote(cpulist.Format(s.CPUs))
	case s.Count > 0:
		return strconv.Itoa(s.Count)
	}
	return `"auto"`
}

// Spec returns the value as affinity.NewPlan reads it: a list of one CPU as "4-4", for a bare number is a count.
func (s Shards) Spec() string {
	switch {
	case len(s.CPUs) == 1:
		return fmt.Sprintf("%d-%d", s.CPUs[0], s.CPUs[0])
	case s.CPUs != nil:
		return cpulist.Format(s.CPUs)
	case s.Count > 0:
		return strconv.Itoa(s.Count)
	}
	return "auto"
}

// CPUs is a set of CPUs, ascending; nil: chosen by the daemon.
type CPUs []int

// Auto tells whether the daemon decides.
func (c CPUs) Auto() bool { return c == nil }

// String returns the value as it stands in the file.
func (c CPUs) String() string {
	if c == nil {
		return `"auto"`
	}
	return strconv.Quote(cpulist.Format(c))
}

// Default returns the configuration of an empty file.
func Default() *Config {
	c := new(Config)
	for i := range keys {
		if faults := keys[i].set(c, keys[i].Default); len(faults) > 0 {
			panic(fmt.Sprintf("config: default of %s: %s", keys[i].Name, faults[0].message))
		}
	}
	return c
}

// ResolvePaths makes relative file names start at the folder of the file that they stand in. Where its own name is relative,
// that starts at dir, the working folder of the process.
func (c *Config) ResolvePaths(dir string) {
	resolve := func(key string, name *string) {
		if *name == "" || path.IsAbs(*name) {
			return
		}
		*name = path.Join(c.source.folderOf(key), *name)
		if !path.IsAbs(*name) {
			*name = path.Join(dir, *name)
		}
	}
	resolve("recursion.root_hints", &c.Recursion.RootHints)
	resolve("recursion.trust_anchors", &c.Recursion.TrustAnchors)
	resolve("recursion.trust_anchor_state", &c.Recursion.TrustAnchorState)
	resolve("cache.file", &c.Cache.File)
	resolve("admin.socket", &c.Admin.Socket)
	resolve("query_log.file", &c.QueryLog.File)
	if network, address := c.Dnstap.Target(); network == "unix" || network == "file" {
		resolve("dnstap.output", &address)
		c.Dnstap.Output = network + ":" + address
	}
	for i := range c.Security.Folders {
		resolve(Element("security.folders", i), (*string)(&c.Security.Folders[i]))
	}
	for i := range c.Zone {
		resolve(Element("zone", i)+".file", &c.Zone[i].File)
		resolve(Element("zone", i)+".include_folder", &c.Zone[i].IncludeFolder)
	}
}
