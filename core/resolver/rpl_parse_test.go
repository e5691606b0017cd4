package resolver

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
)

// scenario is a parsed .rpl file: the replay format of Unbound's and Deckard's test suites.
type scenario struct {
	options Options
	ranges  []rplRange
	steps   []rplStep
	usesAA  bool
	signed  bool // configures trust anchors
	anchors *dnssec.Anchors
	wall    int64
	trouble string
	unbound bool
}

type rplEntry struct {
	match, adjust []string
	msg           *dns.Msg
	do            bool
	raw           bool
}

type rplRange struct {
	from, to int
	addrs    []netip.Addr
	entries  []*rplEntry
}

type rplStep struct {
	id    int
	kind  string
	args  []string
	entry *rplEntry
	used  bool // a REPLY that has been sent
}

func loadScenario(path string) (*scenario, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &scenario{anchors: new(dnssec.Anchors), options: Options{Recursion: true, RootHints: []Hint{}}}
	config, body, _ := strings.Cut(string(raw), "CONFIG_END")
	s.unbound = strings.Contains(config, "server:") || strings.Contains(config, "stub-zone:") || strings.Contains(config, "forward-zone:")
	var clause, zone string
	for _, line := range strings.Split(config, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, val, _ := strings.Cut(line, ":")
		val = strings.TrimSpace(val)
		if i := strings.IndexAny(val, "#;"); i >= 0 && !strings.HasPrefix(val, "\"") {
			val = strings.TrimSpace(val[:i])
		}
		val = strings.Trim(val, "\"")
		yes := val == "yes" || val == "on" || val == "true"
		switch key {
		case "server", "stub-zone", "forward-zone":
			clause = key
		case "name":
			zone = dns.CanonicalName(val)
		case "stub-addr", "forward-addr":
			ip, err := netip.ParseAddr(val)
			switch {
			case err != nil:
				s.trouble = "address " + val
			case key == "stub-addr" && (zone == "." || !s.unbound):
				s.options.RootHints = append(s.options.RootHints, Hint{dnametest.Name("k.root-servers.net."), ip})
			default:
				if !s.unbound {
					zone = "."
				}
				s.group(zone, clause, ip, key)
			}
		case "qname-minimisation", "query-minimization":
			s.options.PlainNames = !yes
		case "do-ip4":
			s.options.NoIPv4 = !yes
		case "do-ip6":
			s.options.NoIPv6 = !yes
		case "harden-glue":
			s.options.AnyGlue = !yes
		case "do-not-query-localhost":
			s.options.QueryLoopback = !yes
		case "trust-anchor":
			s.signed = true
			list, err := dnssec.ParseAnchors("trust-anchor", val+"\n")
			if err != nil {
				s.trouble = err.Error()
			}
			for _, a := range list {
				if have := s.anchors.Closest(a.Zone); have != nil && dname.Equal(have.Zone, a.Zone) {
					a.DS = append(have.DS, a.DS...)
				}
				s.anchors.Set(a)
			}
		case "domain-insecure":
			s.anchors.Set(dnssec.Anchor{Zone: dnametest.Name(strings.ToLower(val)), Negative: true})
		case "val-override-date", "val-override-timestamp":
			at, err := time.Parse("20060102150405", val)
			if s.wall = at.Unix(); err != nil {
				s.wall, _ = strconv.ParseInt(val, 10, 64)
			}
		}
	}
	if s.signed {
		s.options.Anchors = s.anchors
	}
	s.parse(strings.Split(body, "\n"))
	return s, nil
}

func (s *scenario) group(zone, clause string, ip netip.Addr, key string) {
	kind := Forward
	if key == "stub-addr" {
		kind = Stub
	}
	for i := range s.options.Groups {
		if g := &s.options.Groups[i]; g.Zone.String() == zone && g.Kind == kind {
			g.Servers = append(g.Servers, netip.AddrPortFrom(ip, 53))
			return
		}
	}
	s.options.Groups = append(s.options.Groups, Group{Zone: dnametest.Name(strings.ToLower(zone)), Kind: kind, Servers: []netip.AddrPort{netip.AddrPortFrom(ip, 53)}})
}

func (s *scenario) parse(lines []string) {
	var in *rplRange
	for i := 0; i < len(lines); i++ {
		f := strings.Fields(strings.SplitN(lines[i], ";", 2)[0])
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "RANGE_BEGIN":
			r := rplRange{}
			r.from, _ = strconv.Atoi(f[1])
			r.to, _ = strconv.Atoi(f[2])
			s.ranges = append(s.ranges, r)
			in = &s.ranges[len(s.ranges)-1]
		case "RANGE_END":
			in = nil
		case "ADDRESS":
			if ip, err := netip.ParseAddr(f[1]); err == nil {
				in.addrs = append(in.addrs, ip)
			}
		case "STEP":
			st := rplStep{kind: f[2], args: f[3:]}
			st.id, _ = strconv.Atoi(f[1])
			s.steps = append(s.steps, st)
		case "ENTRY_BEGIN":
			end := i + 1
			for end < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[end]), "ENTRY_END") {
				end++
			}
			e := s.entry(lines[i+1 : min(end, len(lines))])
			i = end
			if in != nil {
				in.entries = append(in.entries, e)
				s.usesAA = s.usesAA || e.msg.Authoritative
			} else if n := len(s.steps); n > 0 {
				s.steps[n-1].entry = e
			}
		}
	}
}

func (s *scenario) entry(lines []string) *rplEntry {
	e := &rplEntry{msg: new(dns.Msg)}
	section := ""
	for _, l := range lines {
		l = strings.TrimSpace(l)
		f := strings.Fields(strings.SplitN(l, ";", 2)[0])
		if len(f) == 0 {
			continue
		}
		switch {
		case f[0] == "MATCH":
			e.match = append(e.match, f[1:]...)
		case f[0] == "ADJUST":
			e.adjust = append(e.adjust, f[1:]...)
		case f[0] == "HEX_ANSWER_BEGIN" || f[0] == "RAW" || f[0] == "HEX_EDNSDATA_BEGIN":
			e.raw = true
			s.trouble = "raw message"
		case f[0] == "REPLY" || f[0] == "FLAGS":
			for _, w := range f[1:] {
				switch w {
				case "QR":
					e.msg.Response = true
				case "AA":
					e.msg.Authoritative = true
				case "TC":
					e.msg.Truncated = true
				case "RD":
					e.msg.RecursionDesired = true
				case "RA":
					e.msg.RecursionAvailable = true
				case "AD":
					e.msg.AuthenticatedData = true
				case "CD":
					e.msg.CheckingDisabled = true
				case "DO":
					e.do = true
				default:
					if rc, ok := dns.StringToRcode[strings.Replace(w, "NOTIMPL", "NOTIMP", 1)]; ok {
						e.msg.Rcode = rc
					}
				}
			}
		case f[0] == "SECTION":
			section = f[1]
		case f[0] == "MANDATORY":
		case section == "QUESTION":
			q := dns.Question{Name: dns.Fqdn(f[0]), Qclass: dns.ClassINET}
			for _, w := range f[1:] {
				if c, ok := dns.StringToClass[w]; ok && w != "ANY" {
					q.Qclass = c
				} else if t, ok := dns.StringToType[strings.ToUpper(w)]; ok {
					q.Qtype = t
				}
			}
			e.msg.Question = append(e.msg.Question, q)
		default:
			p := dns.NewZoneParser(strings.NewReader(l+"\n"), ".", "")
			p.SetDefaultTTL(3600)
			rr, _ := p.Next()
			if rr == nil {
				s.trouble = "record " + l
				continue
			}
			switch section {
			case "ANSWER":
				e.msg.Answer = append(e.msg.Answer, rr)
			case "AUTHORITY":
				e.msg.Ns = append(e.msg.Ns, rr)
			case "ADDITIONAL":
				e.msg.Extra = append(e.msg.Extra, rr)
			}
		}
	}
	return e
}
