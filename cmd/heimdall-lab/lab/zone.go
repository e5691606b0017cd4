package lab

import (
	"cmp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// zone is the data of one zone. It does not change once it is signed, so that servers share it.
type zone struct {
	spec    *Spec
	origin  string
	parent  *zone // nil: the root
	servers []*server

	nodes  map[string]map[uint16][]dns.RR // RRsets by owner and type; a name that has only names below it has none
	sigs   map[rrset][]dns.RR
	keys   []*key          // those that sign keys first
	hidden map[string]bool // owners of DS records that are denied
	chain  []link          // NSEC or NSEC3 records in order
}

type rrset struct {
	owner string
	typ   uint16
}

// link is an NSEC or NSEC3 record of a chain. The owner is a name in the form of sortable, or a hash.
type link struct {
	owner string
	rr    dns.RR
}

// insert adds a record, and its owner and the names between it and the origin if they are new.
func (z *zone) insert(rr dns.RR) {
	h := rr.Header()
	for name := h.Name; z.nodes[name] == nil; name = up(name) {
		z.nodes[name] = map[uint16][]dns.RR{}
		if name == z.origin {
			break
		}
	}
	z.nodes[h.Name][h.Rrtype] = append(z.nodes[h.Name][h.Rrtype], rr)
}

// has says whether there is an RRset of that type.
func (z *zone) has(name string, typ uint16) bool { return len(z.nodes[name][typ]) > 0 }

// isCut says whether another zone begins at the name.
func (z *zone) isCut(name string) bool { return name != z.origin && z.has(name, dns.TypeNS) }

// cutAbove returns the zone cut that the name is at or below, or "".
func (z *zone) cutAbove(name string) string {
	cut := ""
	for ; name != z.origin; name = up(name) {
		if z.isCut(name) {
			cut = name
		}
	}
	return cut
}

// closestEncloser returns the longest ancestor of a name that exists, and the name one label longer
// (RFC 5155, section 1.3).
func (z *zone) closestEncloser(name string) (encloser, next string) {
	for z.nodes[name] == nil {
		next, name = name, up(name)
	}
	return name, next
}

// authoritative returns the names that belong to the zone, cuts included, glue not, in canonical order.
func (z *zone) authoritative() []string {
	var names []string
	for name := range z.nodes {
		if cut := z.cutAbove(name); cut == "" || cut == name {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(sortable(a), sortable(b)) })
	return names
}

// up returns the name without its first label.
func up(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

// below says whether a name is the zone's or below it.
func below(zone, name string) bool { return dns.IsSubDomain(zone, name) }

// wildcard returns the wildcard name below a name.
func wildcard(name string) string {
	if name == "." {
		return "*."
	}
	return "*." + name
}

// sortable turns a name into a string that sorts in canonical order (RFC 4034, section 6.1).
func sortable(name string) string {
	labels := dns.SplitDomainName(name)
	slices.Reverse(labels)
	return strings.Join(labels, "\x00")
}
