package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Internet is a tree of zones and the servers that serve them.
type Internet struct {
	zones   []*zone // parents first
	origins map[string]*zone
	servers []*server
	hosts   map[string]*server
}

// Addresses of servers: 198.18.0.0/16 is for benchmarks (RFC 2544), 2001:db8:18::/64 for documentation (RFC 3849).
// Neither is routed anywhere, and the namespaces have no way out.
var (
	serversIPv4 = netip.MustParsePrefix("198.18.0.0/16")
	serversIPv6 = netip.MustParsePrefix("2001:db8:18::/64")
)

// Build makes the zones, with new keys, and says which server serves what. Parents stand before their children;
// the root is first.
func Build(specs []Spec, now time.Time) (*Internet, error) {
	n := &Internet{origins: map[string]*zone{}, hosts: map[string]*server{}}
	for i := range specs {
		if err := n.addZone(&specs[i]); err != nil {
			return nil, err
		}
	}
	for _, z := range n.zones {
		n.delegate(z)
	}
	for _, z := range n.zones {
		ds, err := z.dsRecords()
		if err != nil {
			return nil, err
		}
		for _, rr := range ds {
			if z.parent != nil {
				z.parent.insert(rr)
				z.parent.hidden[z.origin] = z.spec.Flaw == HiddenDS
			}
		}
	}
	for _, z := range n.zones {
		if err := z.sign(now); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// addZone makes a zone with its own records and keys.
func (n *Internet) addZone(s *Spec) error {
	z := &zone{spec: s, origin: dns.Fqdn(s.Name), nodes: map[string]map[uint16][]dns.RR{},
		sigs: map[rrset][]dns.RR{}, hidden: map[string]bool{}}
	z.parent = n.zoneOf(z.origin)
	if z.parent == nil && z.origin != "." {
		return fmt.Errorf("make zone %s: no zone above it", z.origin)
	}
	text := fmt.Sprintf("@ SOA %s %s 1 3600 1200 604800 %d\n%s\n", fqdn("ns1", z.origin), fqdn("hostmaster", z.origin), minimumTTL, s.Records)
	p := dns.NewZoneParser(strings.NewReader(text), z.origin, "")
	p.SetDefaultTTL(3600)
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		z.insert(rr)
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("make zone %s: %w", z.origin, err)
	}
	n.zones = append(n.zones, z)
	n.origins[z.origin] = z
	if s.Algorithm == 0 {
		return nil
	}
	return z.makeKeys()
}

// delegate finds the zone's servers and puts them into the zone, the zone above, and the one they are named in.
func (n *Internet) delegate(z *zone) {
	servers := z.spec.Servers
	if servers == nil {
		servers = make([]Server, 1)
	}
	hosts := slices.Clone(z.spec.More)
	for i, s := range servers {
		if s.Host == "" {
			s.Host = fqdn(fmt.Sprintf("ns%d", i+1), z.origin)
		}
		srv := n.server(s, z.spec.IPv6)
		srv.zones[z.origin] = z
		z.servers = append(z.servers, srv)
		hosts = append(hosts, s.Host)
		if z.parent != nil && below(z.origin, s.Host) && !z.spec.NoGlue {
			z.parent.insert(srv.address())
		}
	}
	for _, host := range hosts {
		ns := &dns.NS{Ns: host}
		ns.Hdr = dns.RR_Header{Name: z.origin, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 3600}
		z.insert(ns)
		if z.parent != nil {
			z.parent.insert(ns)
		}
	}
}

// server returns the server with that host name, a new one if there is none yet.
func (n *Internet) server(s Server, ipv6 bool) *server {
	if old := n.hosts[s.Host]; old != nil {
		return old
	}
	addr := serversIPv4.Addr()
	if ipv6 {
		addr = serversIPv6.Addr()
	}
	for range len(n.servers) + 1 {
		addr = addr.Next()
	}
	srv := &server{host: s.Host, manner: s.Manner, addr: addr, root: n.zones[0], zones: map[string]*zone{}}
	n.servers = append(n.servers, srv)
	n.hosts[s.Host] = srv
	n.zoneOf(s.Host).insert(srv.address())
	return srv
}

// zoneOf returns the deepest zone that a name is in, or nil.
func (n *Internet) zoneOf(name string) *zone {
	for ; ; name = up(name) {
		if z := n.origins[name]; z != nil || name == "." {
			return z
		}
	}
}

// RootHints returns the servers of the root in the form of a master file.
func (n *Internet) RootHints() string {
	var b strings.Builder
	for _, s := range n.zones[0].servers {
		fmt.Fprintf(&b, ". 3600 IN NS %s\n%s\n", s.host, s.address())
	}
	return b.String()
}

// TrustAnchor returns the DS records of the root.
func (n *Internet) TrustAnchor() string {
	return n.zones[0].keys[0].ds(dns.SHA256).String() + "\n"
}

// fqdn joins a label and a zone.
func fqdn(label, zone string) string {
	if zone == "." {
		return label + "."
	}
	return label + "." + zone
}
