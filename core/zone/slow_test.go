package zone_test

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// slowZone is a zone as a plain list of records, names in lower case.
type slowZone struct {
	origin string
	rrs    []dns.RR
}

// at returns the records of one name and type.
func (z *slowZone) at(name string, t uint16) (rrs []dns.RR) {
	for _, rr := range z.rrs {
		if rr.Header().Name == name && rr.Header().Rrtype == t {
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

// exists reports whether a name owns records or has a name below it that does (RFC 4592, section 2.2.2).
func (z *slowZone) exists(name string) bool {
	return slices.ContainsFunc(z.rrs, func(rr dns.RR) bool { return dns.IsSubDomain(name, rr.Header().Name) })
}

// slowReply answers a query from zones, step by step as RFC 1034, section 4.3.2, has it, without DNSSEC.
func slowReply(zones []*slowZone, qname string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	name := strings.ToLower(qname)
	var followed []string
	for step := 0; step < 16; step++ {
		z := slowEnclosing(zones, name, qtype)
		if z == nil {
			break
		}
		node, target := z.walk(m, name, qtype, step)
		if target == "" {
			break
		}
		if node = z.origin + " " + node; slices.Contains(followed, node) && len(z.at(strings.Fields(node)[1], dns.TypeDNAME)) == 0 {
			break
		}
		followed = append(followed, node)
		name = target
	}
	return m
}

// slowEnclosing is step 2: the nearest ancestor zone; for DS the one above the name, if there is one.
func slowEnclosing(zones []*slowZone, name string, qtype uint16) (best *slowZone) {
	var apex *slowZone
	for _, z := range zones {
		switch {
		case !dns.IsSubDomain(z.origin, name):
		case qtype == dns.TypeDS && z.origin == name:
			apex = z
		case best == nil || len(z.origin) > len(best.origin):
			best = z
		}
	}
	if best == nil {
		return apex
	}
	return best
}

// walk is step 3: down the tree from the apex. It returns the name whose CNAME or DNAME leads on, and where to.
func (z *slowZone) walk(m *dns.Msg, name string, qtype uint16, step int) (node, target string) {
	labels := dns.SplitDomainName(strings.TrimSuffix(name, z.origin))
	encloser := z.origin
	for i := len(labels); ; i-- {
		// 3b: a zone cut.
		if ns := z.at(encloser, dns.TypeNS); len(ns) > 0 && encloser != z.origin && !(i == 0 && qtype == dns.TypeDS) {
			m.Authoritative = step > 0
			z.refer(m, ns)
			return "", ""
		}
		m.Authoritative = true
		if i == 0 {
			return encloser, z.match(m, encloser, name, qtype)
		}
		// RFC 6672, section 3.2, 3c.
		if dname := z.at(encloser, dns.TypeDNAME); len(dname) > 0 {
			return encloser, z.rename(m, dname[0].(*dns.DNAME), name, qtype)
		}
		child := labels[i-1] + "." + strings.TrimPrefix(encloser, ".")
		if z.exists(child) {
			encloser = child
			continue
		}
		// 3c: no such label; is there a wildcard?
		wild := "*." + strings.TrimPrefix(encloser, ".")
		if !z.exists(wild) {
			m.Rcode = dns.RcodeNameError
			z.negative(m)
			return "", ""
		}
		if ns := z.at(wild, dns.TypeNS); len(ns) > 0 && qtype != dns.TypeDS {
			m.Authoritative = step > 0
			z.refer(m, renamed(ns, name))
			return "", ""
		}
		return wild, z.match(m, wild, name, qtype)
	}
}

// match is step 3a. node is the wildcard that stands for name, or name itself.
func (z *slowZone) match(m *dns.Msg, node, name string, qtype uint16) (target string) {
	if rrs := z.at(node, qtype); len(rrs) > 0 {
		m.Answer = append(m.Answer, renamed(rrs, name)...)
		return ""
	}
	if cname := z.at(node, dns.TypeCNAME); len(cname) > 0 {
		m.Answer = append(m.Answer, renamed(cname, name)...)
		return strings.ToLower(cname[0].(*dns.CNAME).Target)
	}
	z.negative(m)
	return ""
}

func (z *slowZone) rename(m *dns.Msg, dname *dns.DNAME, name string, qtype uint16) (target string) {
	if !slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return rr.String() == dname.String() }) {
		m.Answer = append(m.Answer, dname)
	}
	target = strings.TrimSuffix(name, dname.Hdr.Name) + strings.TrimPrefix(dname.Target, ".")
	if len(target) > 254 {
		m.Rcode = dns.RcodeYXDomain
		return ""
	}
	m.Answer = append(m.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET,
		Ttl: dname.Hdr.Ttl}, Target: target})
	if qtype == dns.TypeCNAME {
		return ""
	}
	return strings.ToLower(target)
}

// refer adds a delegation and its glue.
func (z *slowZone) refer(m *dns.Msg, ns []dns.RR) {
	m.Ns = append(m.Ns, ns...)
	for _, rr := range ns {
		host := strings.ToLower(rr.(*dns.NS).Ns)
		node := z.host(host)
		m.Extra = append(append(m.Extra, renamed(z.at(node, dns.TypeA), host)...), renamed(z.at(node, dns.TypeAAAA), host)...)
	}
}

// host returns the name that has a host's addresses, which may be a wildcard.
func (z *slowZone) host(name string) string {
	if z.exists(name) || !dns.IsSubDomain(z.origin, name) {
		return name
	}
	for !z.exists(name) {
		name = name[strings.Index(name, ".")+1:]
	}
	return "*." + name
}

// negative adds the SOA record (RFC 2308, section 3).
func (z *slowZone) negative(m *dns.Msg) {
	soa := dns.Copy(z.at(z.origin, dns.TypeSOA)[0]).(*dns.SOA)
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
	m.Ns = append(m.Ns, soa)
}

// renamed gives records another owner.
func renamed(rrs []dns.RR, name string) (list []dns.RR) {
	for _, rr := range rrs {
		rr = dns.Copy(rr)
		rr.Header().Name = name
		list = append(list, rr)
	}
	return list
}
