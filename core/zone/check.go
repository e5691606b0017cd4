package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// check looks for what is wrong with the zone as a whole.
func (b *Builder) check(z *Zone) {
	c := checker{z: z, p: &b.problems, now: b.options.Now}
	soa, _ := rrset(z.node(z.apex), wire.TypeSOA)
	switch {
	case soa == nil:
		c.p.add(Error, z.origin, wire.TypeSOA, "no SOA record at the apex")
		return
	case len(soa) != len(z.soa):
		c.p.addAt(where{nth: 2}, Error, z.origin, wire.TypeSOA, "more than one SOA record")
	}
	if !has(z.node(z.apex), wire.TypeNS) {
		c.p.add(Warning, z.origin, wire.TypeNS, "no NS records at the apex")
	}
	c.digest()
	if !b.options.Checks {
		return
	}
	c.signed = z.Signed() || has(z.node(z.apex), wire.TypeDNSKEY)
	if c.signed {
		c.checkApex()
	}
	z.eachRef(func(ref uint32) bool {
		c.node(ref)
		return true
	})
	if len(z.chain) > 0 {
		c.checkChain()
	}
	if len(z.hashes) > 0 {
		c.checkHashes()
	}
}

// checker looks at the nodes of a zone one by one.
type checker struct {
	z      *Zone
	p      *problems
	now    uint32 // seconds since 1970; 0: unknown
	signed bool
	buf    [dname.MaxLen + 1]byte
}

func (c *checker) add(s Severity, ref uint32, t wire.Type, format string, args ...any) {
	c.p.add(s, c.z.appendName(nil, c.z.node(ref)), t, format, args...)
}

// addRecord is add for one record, the first of recs.
func (c *checker) addRecord(s Severity, ref uint32, recs []byte, format string, args ...any) {
	t := recordType(recs)
	at := where{rdata: appendExpanded(nil, c.z.origin, t, recs[recordLen:recordSize(recs)])}
	c.p.addAt(at, s, c.z.appendName(nil, c.z.node(ref)), t, format, args...)
}

// node checks one node.
func (c *checker) node(ref uint32) {
	node, flags := c.z.node(ref), c.z.flags(ref)
	if flags&flagHash != 0 {
		return
	}
	if flags&flagCut != 0 || ref == c.z.apex {
		c.glue(ref, node)
	}
	if flags&flagBelow != 0 {
		c.hidden(ref, node)
		return
	}
	c.contents(ref, node)
	c.hosts(ref, node)
	if ref == c.z.apex && has(node, wire.TypeDS) {
		c.add(Warning, ref, wire.TypeDS, "at the apex: it belongs into the parent zone") // RFC 4035, section 2.4
	}
	if flags&flagCut == 0 && ref != c.z.apex && has(node, wire.TypeDS) {
		c.add(Warning, ref, wire.TypeDS, "no NS records at the same name: there is no delegation")
	}
	if c.signed {
		c.signatures(ref, node, flags)
	}
}

// glue looks for the addresses of name servers in the zone (RFC 1034, section 4.2.1; RFC 9471).
func (c *checker) glue(ref uint32, node []byte) {
	recs, _ := rrset(node, wire.TypeNS)
	for ; len(recs) >= recordLen; recs = recs[recordSize(recs):] {
		n, _, inside := c.z.target(c.buf[:0], recs)
		if !inside {
			continue
		}
		host, _ := c.z.host(n)
		// A delegation's servers beside it may have their addresses in another zone, below another cut.
		if ref != c.z.apex && !below(n, nodeName(node)) {
			continue
		}
		if host != 0 && (has(c.z.node(host), wire.TypeA) || has(c.z.node(host), wire.TypeAAAA)) {
			continue
		}
		if ref == c.z.apex {
			exact := c.z.find(n)
			f := c.z.search(append(n, c.z.origin...), len(n), exact, wire.TypeA)
			if exact == 0 && f.how != absent {
				continue // a wildcard stands for it, or it is delegated
			}
			if f.how == matched && has(c.z.node(f.node), wire.TypeCNAME) {
				continue // hosts tells of it
			}
		}
		c.addRecord(Warning, ref, recs, "no address of the name server %s", dname.Name(append(n, c.z.origin...)))
	}
}

// hidden tells of records below a DNAME, or below a cut if they are not glue.
func (c *checker) hidden(ref uint32, node []byte) {
	if t := firstType(node); t != 0 && c.belowDNAME(node) {
		// RFC 6672, section 2.4: nothing is below a DNAME, glue neither.
		c.add(Warning, ref, t, "below a DNAME: never an answer")
		return
	}
	for rest := nodeRecords(node); len(rest) >= recordLen; rest = rest[recordSize(rest):] {
		switch t := recordType(rest); t {
		case wire.TypeA, wire.TypeAAAA:
		default:
			c.add(Warning, ref, t, "below a delegation: never an answer")
			return
		}
	}
}

// firstType returns the type of a node's first records; 0 if it has none.
func firstType(node []byte) wire.Type {
	if rest := nodeRecords(node); len(rest) >= recordLen {
		return recordType(rest)
	}
	return 0
}

// belowDNAME reports whether the nearest of the cuts and DNAMEs above a node is a DNAME.
func (c *checker) belowDNAME(node []byte) bool {
	for rest := nodeName(node); len(rest) > 0; {
		rest = rest[1+int(rest[0]):]
		above := c.z.apex
		if len(rest) > 0 {
			above = c.z.find(rest)
		}
		if above == 0 {
			continue
		}
		if flags := c.z.flags(above); flags&(flagCut|flagDNAME) != 0 {
			return flags&flagDNAME != 0
		}
	}
	return false
}
