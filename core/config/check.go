package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// minShardMemory is the least cache memory of one shard: what two stores of the smallest kind take.
const minShardMemory = 256 * kib

// minSaveInterval keeps the writing of the caches from becoming a daemon's main work.
const minSaveInterval = time.Second

// Check looks for values that contradict each other, mean nothing on their own, or ask for what does not exist
// yet. Warnings are among what it returns.
func (c *Config) Check() Problems {
	k := checker{config: c}
	k.server()
	k.cpu()
	k.io()
	k.cache()
	k.xdp()
	k.zones(k.upstreams())
	k.recursion()
	k.anycast()
	k.records()
	k.admin()
	k.problems.sort()
	return k.problems
}

// CheckShards tells whether the cache memory suffices for a number of shards. Check does so when the number
// is in the configuration; with "auto", whoever decides on it asks here.
func (c *Config) CheckShards(shards int) error {
	k := checker{config: c}
	k.shardMemory(shards)
	return k.problems.Err()
}

// Problem describes what is wrong with the key at path on this machine, for checks that need one. path may end
// as Element has it.
func (c *Config) Problem(path, format string, args ...any) Problem {
	k := checker{config: c}
	k.reject(path, format, args...)
	return k.problems[0]
}

type checker struct {
	config   *Config
	problems Problems
}

// reject notes an error about the key at path, which may end in "[i]" for an element of a list.
func (k *checker) reject(path, format string, args ...any) {
	file, line, rank := k.config.source.place(path)
	k.problems = append(k.problems, Problem{File: file, Line: line, Key: path, Message: fmt.Sprintf(format, args...), rank: rank})
}

// warn notes a warning.
func (k *checker) warn(path, format string, args ...any) {
	k.reject(path, format, args...)
	k.problems[len(k.problems)-1].Warning = true
}

func (k *checker) server() {
	c := k.config
	for i, a := range c.Server.Listen {
		if slices.Contains(c.Server.Listen[:i], a) {
			k.reject(Element("server.listen", i), "%s stands twice", a)
		}
	}
	if c.TCP.MaxPerClient > c.TCP.MaxConnections {
		k.reject("tcp.max_per_client", "%d is more than tcp.max_connections, %d", c.TCP.MaxPerClient, c.TCP.MaxConnections)
	}
}

func (k *checker) admin() {
	if a := k.config.Admin.Web; a.IsValid() && !a.Addr().Unmap().IsLoopback() {
		k.reject("admin.web", "%s is not a loopback address: whoever reaches the page can read it; use 127.0.0.1 or [::1], and a tunnel (ssh -L) from elsewhere", a)
	}
}

func (k *checker) cpu() {
	c := k.config
	for _, cpu := range c.CPU.Housekeeping {
		if slices.Contains(c.CPU.Shards.CPUs, cpu) {
			k.warn("cpu.housekeeping", "CPU %d is also in cpu.shards: its shard will be interrupted", cpu)
		}
	}
	if n := max(c.CPU.Shards.Count, len(c.CPU.Shards.CPUs)); n > 0 {
		k.shardMemory(n)
	}
}

func (k *checker) shardMemory(shards int) {
	if m := k.config.Cache.Memory; int64(m)/int64(shards) < minShardMemory {
		k.reject("cache.memory", "%s is too little for %d shards: each needs %s", m, shards, Bytes(minShardMemory))
	}
}

func (k *checker) cache() {
	c := &k.config.Cache
	if c.SaveInterval > 0 && c.SaveInterval < minSaveInterval {
		k.reject("cache.save_interval", "%s is less than %s; 0s writes at the end alone", FormatDuration(c.SaveInterval), FormatDuration(minSaveInterval))
	}
	if c.MinTTL > c.MaxTTL {
		k.reject("cache.min_ttl", "%s is more than cache.max_ttl, %s", FormatDuration(c.MinTTL), FormatDuration(c.MaxTTL))
	}
	if c.MinTTL > c.MaxNegativeTTL {
		k.reject("cache.min_ttl", "%s is more than cache.max_negative_ttl, %s", FormatDuration(c.MinTTL), FormatDuration(c.MaxNegativeTTL))
	}
}

func (k *checker) io() {
	switch c := k.config; {
	case c.IO.Backend == "uring":
		k.reject("io.backend", `there is no io_uring yet; set "auto" or "mmsg"`)
	case c.IO.Backend == "xsk" && c.XDP.Mode == "off":
		k.reject("io.backend", `"xsk" gets its packets from the XDP program: set xdp.mode to "native" or "generic"`)
	}
}

func (k *checker) xdp() {
	x := &k.config.XDP
	for i, name := range x.Interfaces {
		if slices.Contains(x.Interfaces[:i], name) {
			k.reject(Element("xdp.interfaces", i), "%q stands twice", name)
		}
	}
	if x.Mode != "off" && len(x.Interfaces) == 0 {
		k.reject("xdp.interfaces", `is empty: with xdp.mode = %q name at least one, such as ["eth0"]`, x.Mode)
	}
}

// upstreams checks [[forward]] and [[stub]], and returns their paths by zone.
func (k *checker) upstreams() (seen map[string]string) {
	seen = map[string]string{}
	for i, u := range k.config.Forward {
		k.upstream(Element("forward", i), u, seen)
	}
	for i, u := range k.config.Stub {
		k.upstream(Element("stub", i), u, seen)
	}
	return seen
}

func (k *checker) upstream(path string, u Upstream, seen map[string]string) {
	c := k.config
	if u.Zone != nil {
		if first, twice := seen[string(u.Zone)]; twice {
			k.reject(path+".zone", "%s is that of %s as well: one list of servers has to answer for it", u.Zone, k.describe(first))
		} else {
			seen[string(u.Zone)] = path
		}
	}
	usable := 0
	for i, s := range u.Servers {
		at := Element(path+".servers", i)
		switch {
		case slices.Contains(u.Servers[:i], s):
			k.reject(at, "%s stands twice", s)
		case s.Addr().IsUnspecified():
			k.reject(at, "%s is not the address of a server", s)
		case k.listensOn(s):
			k.reject(at, "%s is in server.listen: it would ask itself", s)
		}
		if s.Addr().Is4() && c.Recursion.IPv4 || s.Addr().Is6() && c.Recursion.IPv6 {
			usable++
		}
	}
	if len(u.Servers) > 0 && usable == 0 {
		k.reject(path+".servers", "none can be asked: recursion.ipv4 or recursion.ipv6 is false")
	}
}

// listensOn tells whether a query to a would come back to this process, as far as the configuration tells.
func (k *checker) listensOn(a netip.AddrPort) bool {
	return slices.ContainsFunc(k.config.Server.Listen, func(l netip.AddrPort) bool {
		return l == a || l.Port() == a.Port() && a.Addr().IsLoopback() && l.Addr().IsUnspecified() && l.Addr().Is4() == a.Addr().Is4()
	})
}

// zones checks [[zone]]; upstreams are the paths of [[forward]] and [[stub]] by zone.
func (k *checker) zones(upstreams map[string]string) {
	seen := map[string]string{}
	for i, z := range k.config.Zone {
		if z.Name == nil {
			continue
		}
		path := Element("zone", i)
		if first, twice := seen[string(z.Name)]; twice {
			k.reject(path+".name", "%s is that of %s as well", z.Name, k.describe(first))
		}
		seen[string(z.Name)] = path
		if other, both := upstreams[string(z.Name)]; both {
			k.reject(path+".name", "%s is that of %s as well: it is served from the file, nobody is asked", z.Name, k.describe(other))
		}
	}
}

// describe names a table of an array by its line, or by its path without a file.
func (k *checker) describe(path string) string {
	switch file, line, _ := k.config.source.place(path); {
	case line > 0 && len(k.config.source.parts) > 1:
		return fmt.Sprintf("%s in %s:%d", path, file, line)
	case line > 0:
		return fmt.Sprintf("%s in line %d", path, line)
	}
	return path
}

func (k *checker) recursion() {
	c, r := k.config, &k.config.Recursion
	if r.Enabled && !r.IPv4 && !r.IPv6 {
		k.reject("recursion.ipv4", "recursion.ipv4 and recursion.ipv6 are false: no server can be asked; set one, or recursion.enabled = false")
	}
	if r.Enabled && slices.ContainsFunc(r.Allow, func(p netip.Prefix) bool { return p.Bits() == 0 }) &&
		slices.ContainsFunc(c.Server.Listen, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() }) {
		k.warn("recursion.allow", "everybody may use recursion: without a firewall this is an open resolver, which others will abuse")
	}
}

// anycast checks that clients are served at each address, and that the interface can be one.
func (k *checker) anycast() {
	c, a := k.config, &k.config.Anycast
	for i, addr := range a.Addresses {
		at := Element("anycast.addresses", i)
		if slices.Contains(a.Addresses[:i], addr) {
			k.reject(at, "%s stands twice", addr)
		}
		if !slices.ContainsFunc(c.Server.Listen, func(l netip.AddrPort) bool { return covers(l.Addr(), addr) }) {
			k.reject(at, "%s is not served: add it to server.listen with its port, or listen at all addresses", addr)
		}
	}
	if _, err := parseInterface(a.Interface); err != nil {
		k.reject("anycast.interface", "%v", err)
	}
	if a.Lease%time.Second != 0 {
		k.reject("anycast.lease", "%s is not a number of whole seconds, in which the kernel counts", FormatDuration(a.Lease))
	}
}

// covers tells whether a socket at listen, which may stand for all addresses of its family, gets what is sent to addr.
func covers(listen, addr netip.Addr) bool {
	return listen == addr || listen.IsUnspecified() && listen.Is4() == addr.Is4()
}

// FreeBind tells whether a socket at addr, one of server.listen, has to do without an interface that has the address: where the operator
// says so, and where it serves addresses that come and go.
func (c *Config) FreeBind(addr netip.Addr) bool {
	return c.Server.FreeBind || addr.IsUnspecified() || slices.Contains(c.Anycast.Addresses, addr)
}

// records checks the query log and dnstap.
func (k *checker) records() {
	q, d := &k.config.QueryLog, &k.config.Dnstap
	if q.Enabled && q.Sample == 0 && len(q.Rcodes)+len(q.Names)+len(q.Clients) == 0 && q.SlowerThan == 0 {
		k.warn("query_log.sample", "0 leaves all to the rules, and there is none: nothing is logged; set rcodes, names, clients or slower_than")
	}
	if q.Enabled && q.File == "" && (k.config.Log.Level == "warn" || k.config.Log.Level == "error") {
		k.warn("query_log.file", "is empty, and the daemon's log leaves out lines of level info: nothing is logged; set a file, or log.level = \"info\"")
	}
	if d.Output == "" {
		return
	}
	if len(d.Messages) == 0 {
		k.warn("dnstap.messages", "is empty: nothing is sent")
	}
	network, address := d.Target()
	switch network {
	case "unix", "file":
		if address == "" || strings.HasPrefix(address, "//") {
			k.reject("dnstap.output", "%q names no path; write it like %q", d.Output, network+":/run/heimdall/dnstap.sock")
		} else if network == "unix" && len(address) > maxSocketPath {
			k.reject("dnstap.output", "the path of a Unix socket has at most %d octets", maxSocketPath)
		} else if q.Enabled && q.File != "" && filepath.Clean(q.File) == filepath.Clean(address) {
			k.reject("dnstap.output", "%s is also query_log.file", address)
		}
	case "tcp":
		if a, err := netip.ParseAddrPort(address); err != nil || a.Port() == 0 {
			k.reject("dnstap.output", `%q is no address with a port; write it like "tcp:192.0.2.1:6000" or "tcp:[2001:db8::1]:6000"`, address)
		}
	default:
		k.reject("dnstap.output", `%q is none of "unix:PATH", "tcp:ADDRESS:PORT", "file:PATH"`, d.Output)
	}
}

// maxSocketPath is what fits into sun_path with its final zero.
const maxSocketPath = 107

// Element returns the path of an element of a list or an array of tables.
func Element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
