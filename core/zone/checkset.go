package zone

import "heimdall/core/wire"

// sets checks which RRsets stand together at a node of the log, which are in p.list.
func (p *packer) sets(node []byte) {
	var cname, dname, ns, soa, other int
	for i := range p.list {
		switch p.list[i].t {
		case wire.TypeCNAME:
			cname++
		case wire.TypeRRSIG, wire.TypeNSEC, wire.TypeNSEC3, wire.TypeKEY:
			// RFC 4034, sections 3 and 4, RFC 2535: may stand beside a CNAME.
		case wire.TypeDNAME:
			dname++
			other++
		case wire.TypeNS:
			ns++
			other++
		case wire.TypeSOA:
			soa++
			other++
		default:
			other++
		}
	}
	apex := node[9] == 0
	switch {
	case cname > 1:
		p.b.problems.addAt(where{nth: 2}, Error, p.owner(node), wire.TypeCNAME, "more than one CNAME record") // RFC 2181, section 10.1
	case cname > 0 && other > 0:
		p.b.problems.add(Error, p.owner(node), wire.TypeCNAME, "CNAME and other records at the same name") // RFC 1034, section 3.6.2
	}
	if dname > 1 {
		p.b.problems.addAt(where{nth: 2}, Error, p.owner(node), wire.TypeDNAME, "more than one DNAME record") // RFC 6672, section 2.4
	}
	if dname > 0 && ns > 0 && !apex {
		p.b.problems.add(Error, p.owner(node), wire.TypeDNAME, "DNAME and NS records at the same name") // RFC 6672, section 2.3
	}
	if name := logName(node); ns > 0 && !apex && name[0] == 1 && name[1] == '*' {
		p.b.problems.add(Warning, p.owner(node), wire.TypeNS, "delegation of a wildcard: servers differ in what it means") // RFC 4592, section 4.2
	}
	if soa > 0 && !apex {
		p.b.problems.add(Warning, p.owner(node), wire.TypeSOA, "SOA record below the apex")
	}
}
