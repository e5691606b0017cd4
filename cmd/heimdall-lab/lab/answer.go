package lab

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/miekg/dns"
)

// maxAliases bounds the aliases that a server follows within a zone.
const maxAliases = 8

// response is a response that is being made.
type response struct {
	*dns.Msg
	zone   *zone
	do     bool // with DNSSEC records
	proven map[dns.RR]bool
}

// answer fills in the response to the question that r has (RFC 1034, section 4.3.2; RFC 4035, section 3.1).
func (z *zone) answer(r *dns.Msg, do bool) {
	q := r.Question[0]
	m := &response{Msg: r, zone: z, do: do && len(z.chain) > 0, proven: map[dns.RR]bool{}}
	name := strings.ToLower(q.Name)
	for range maxAliases {
		target := m.step(name, q.Name, q.Qtype)
		if target == "" || !below(z.origin, target) {
			return
		}
		name, q.Name = target, target
	}
}

// step answers for one name, whose owner is spelled as in the question. It returns the target of an alias, or "".
func (m *response) step(name, owner string, typ uint16) (target string) {
	z := m.zone
	if cut := z.cutAbove(name); cut != "" && !(cut == name && typ == dns.TypeDS) {
		m.refer(cut)
		return ""
	}
	m.Authoritative = true
	for at := name; at != z.origin; {
		at = up(at)
		if !z.has(at, dns.TypeDNAME) {
			continue
		}
		// RFC 6672, section 3.1: the CNAME that follows from the DNAME is not signed.
		m.add(&m.Answer, at, dns.TypeDNAME, "")
		d := z.nodes[at][dns.TypeDNAME][0].(*dns.DNAME)
		c := &dns.CNAME{Target: strings.TrimSuffix(name, at) + d.Target}
		c.Hdr = dns.RR_Header{Name: owner, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: d.Hdr.Ttl}
		m.Answer = append(m.Answer, c)
		return c.Target
	}
	source, encloser, next := name, "", ""
	if z.nodes[name] == nil {
		encloser, next = z.closestEncloser(name)
		if source = wildcard(encloser); z.nodes[source] == nil {
			m.Rcode = dns.RcodeNameError
			m.add(&m.Ns, z.origin, dns.TypeSOA, "")
			m.denyName(name, encloser, next)
			return ""
		}
	}
	if typ == dns.TypeANY && len(z.nodes[source]) > 0 {
		typ = slices.Min(slices.Collect(maps.Keys(z.nodes[source]))) // RFC 8482, section 4.1: one RRset is enough
	}
	switch {
	case z.has(source, typ) && !(typ == dns.TypeDS && z.hidden[source]):
		m.add(&m.Answer, source, typ, owner)
		if typ == dns.TypeNS {
			m.addresses(source)
		}
	case z.has(source, dns.TypeCNAME):
		m.add(&m.Answer, source, dns.TypeCNAME, owner)
		target = z.nodes[source][dns.TypeCNAME][0].(*dns.CNAME).Target
	default:
		m.add(&m.Ns, z.origin, dns.TypeSOA, "")
		if source == name {
			m.denyType(name)
			return ""
		}
		m.prove(source)
		if z.spec.Denial.NSEC3 {
			m.prove(encloser)
		}
	}
	if source != name {
		m.denyExact(name, next)
	}
	return target
}

// refer refers to the servers of a zone below (RFC 4035, section 3.1.4).
func (m *response) refer(cut string) {
	z := m.zone
	m.Ns = append(m.Ns, z.nodes[cut][dns.TypeNS]...)
	if z.has(cut, dns.TypeDS) && !z.hidden[cut] {
		if m.do {
			m.add(&m.Ns, cut, dns.TypeDS, "")
		}
	} else {
		m.denyType(cut)
	}
	m.addresses(cut)
}

// addresses adds what the zone knows of the servers in an NS RRset.
func (m *response) addresses(name string) {
	z := m.zone
	for _, rr := range z.nodes[name][dns.TypeNS] {
		host := rr.(*dns.NS).Ns
		for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA} {
			m.Extra = append(m.Extra, z.nodes[host][typ]...)
		}
	}
}

// add adds an RRset with its signatures. A new owner is that of what a wildcard gave.
func (m *response) add(section *[]dns.RR, name string, typ uint16, owner string) {
	z := m.zone
	rrs := slices.Clone(z.nodes[name][typ])
	if m.do && !(z.spec.Flaw == NoSignatures && typ != dns.TypeDNSKEY) {
		rrs = append(rrs, z.sigs[rrset{name, typ}]...)
	}
	for _, rr := range rrs {
		if owner != "" {
			rr = dns.Copy(rr)
			rr.Header().Name = owner
		}
		*section = append(*section, rr)
	}
}

// denyName proves that a name does not exist, nor a wildcard for it.
func (m *response) denyName(name, encloser, next string) {
	m.denyExact(name, next)
	m.prove(wildcard(encloser))
	if m.zone.spec.Denial.NSEC3 {
		m.prove(encloser) // RFC 5155, section 7.2.2
	}
}

// denyExact proves that a name does not exist itself. The name one label longer than the closest encloser
// stands for it in a zone with NSEC3 records.
func (m *response) denyExact(name, next string) {
	if m.zone.spec.Denial.NSEC3 {
		name = next
	}
	m.prove(name)
}

// denyType proves that a name that exists does not have a type, or, with opt-out, that it is a delegation about
// which nothing is said.
func (m *response) denyType(name string) {
	z := m.zone
	if z.spec.Denial.NSEC3 && m.do && !z.matches(name) {
		encloser, next := up(name), name // RFC 5155, section 7.2.4
		for !z.matches(encloser) {
			encloser, next = up(encloser), encloser
		}
		m.prove(encloser)
		name = next
	}
	m.prove(name)
}

// prove adds the NSEC or NSEC3 record that matches or covers a name.
func (m *response) prove(name string) {
	if !m.do || m.zone.spec.Flaw == NoDenial {
		return
	}
	i := m.zone.at(m.zone.place(name))
	if m.zone.spec.Flaw == WrongDenial {
		i = (i + 1) % len(m.zone.chain)
	}
	rr := m.zone.chain[i].rr
	if m.proven[rr] {
		return
	}
	m.proven[rr] = true
	m.Ns = append(m.Ns, rr)
	if m.zone.spec.Flaw != NoSignatures {
		m.Ns = append(m.Ns, m.zone.sigs[rrset{rr.Header().Name, rr.Header().Rrtype}]...)
	}
}

// place returns where a name belongs in the chain.
func (z *zone) place(name string) string {
	if z.spec.Denial.NSEC3 {
		return z.hash(name)
	}
	return sortable(name)
}

// at returns the last record of the chain at or before a place; before the first one it is the last of all.
func (z *zone) at(place string) int {
	i := sort.Search(len(z.chain), func(i int) bool { return z.chain[i].owner > place })
	return (i + len(z.chain) - 1) % len(z.chain)
}

// matches says whether the chain has a record for the name itself.
func (z *zone) matches(name string) bool {
	place := z.place(name)
	return z.chain[z.at(place)].owner == place
}
