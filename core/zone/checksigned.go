package zone

import (
	"bytes"
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// checkApex checks what a signed zone has at its apex.
func (c *checker) checkApex() {
	z := c.z
	apex := z.node(z.apex)
	if !has(apex, wire.TypeDNSKEY) {
		c.p.add(Warning, z.origin, wire.TypeDNSKEY, "the zone is signed, but has no DNSKEY records")
	}
	switch {
	case len(z.chain) == 0 && len(z.hashes) == 0 && has(apex, wire.TypeNSEC3PARAM):
		c.p.add(Warning, z.origin, wire.TypeNSEC3PARAM, "no NSEC3 records with these parameters")
	case len(z.chain) == 0 && len(z.hashes) == 0:
		c.p.add(Warning, z.origin, wire.TypeNSEC, "DNSKEY records, but neither NSEC nor NSEC3 records")
	}
}

// signatures checks that every authoritative RRset of a node has a signature that is in force.
func (c *checker) signatures(ref uint32, node []byte, flags uint8) {
	for rest := nodeRecords(node); len(rest) >= recordLen; {
		size, n := nextSet(rest)
		recs, sigs := rest[:n], rest[n:size]
		rest = rest[size:]
		t := recordType(recs)
		if t == wire.TypeRRSIG {
			c.add(Warning, ref, t, "covers %s records, which are not there", covered(recs))
			continue
		}
		// RFC 4035, section 2.2: at a cut the NS records are the child's.
		if flags&flagCut != 0 && t != wire.TypeDS && t != wire.TypeNSEC {
			continue
		}
		if len(sigs) == 0 {
			c.add(Warning, ref, t, "not signed")
			continue
		}
		c.period(ref, t, sigs)
	}
}

// period checks that one of the signatures is in force.
func (c *checker) period(ref uint32, t wire.Type, sigs []byte) {
	if c.now == 0 {
		return
	}
	for ; len(sigs) >= recordLen; sigs = sigs[recordSize(sigs):] {
		rdata := sigs[recordLen:]
		expires, begins := binary.BigEndian.Uint32(rdata[8:]), binary.BigEndian.Uint32(rdata[12:])
		// RFC 4034, section 3.1.5: serial number arithmetic.
		if int32(expires-c.now) >= 0 && int32(c.now-begins) >= 0 {
			return
		}
	}
	c.add(Warning, ref, t, "no signature is in force now")
}

// checkChain checks that the NSEC records form a chain with all authoritative names in it (RFC 4035, section
// 2.3).
func (c *checker) checkChain() {
	z := c.z
	z.eachRef(func(ref uint32) bool {
		node, flags := z.node(ref), z.flags(ref)
		if flags&(flagHash|flagBelow) == 0 && len(nodeRecords(node)) >= recordLen && !has(node, wire.TypeNSEC) {
			c.add(Warning, ref, wire.TypeNSEC, "not in the chain of NSEC records")
		}
		return true
	})
	for i := range z.chain.len() {
		ref := z.chain.at(i)
		node := z.node(ref)
		recs, _ := rrset(node, wire.TypeNSEC)
		rdata := recs[recordLen:recordSize(recs)]
		next, _ := dname.Parse(rdata)
		want := z.appendName(c.buf[:0], z.node(z.chain.at((i+1)%z.chain.len())))
		if !dname.Equal(next, want) {
			c.add(Warning, ref, wire.TypeNSEC, "next name is %s, should be %s", next, dname.Name(want))
		}
		c.bitmap(ref, wire.TypeNSEC, rdata[len(next):], node, z.flags(ref))
	}
}

// checkHashes checks the same of NSEC3 records (RFC 5155, section 7.1).
func (c *checker) checkHashes() {
	z := c.z
	optOut := false
	for i := range z.hashes.len() {
		ref := z.hashes.at(i)
		rdata, next := nsec3(z.node(ref))
		optOut = optOut || rdata[1]&1 != 0
		if !bytes.Equal(next, z.hashAt((i+1)%z.hashes.len())) {
			c.add(Warning, ref, wire.TypeNSEC3, "the next hash is not that of the next NSEC3 record")
		}
	}
	z.eachRef(func(ref uint32) bool {
		node, flags := z.node(ref), z.flags(ref)
		if flags&(flagHash|flagBelow) != 0 {
			return true
		}
		match := z.hashOf(nodeName(node))
		if match == 0 {
			// RFC 5155, section 7.1: opt-out leaves out insecure delegations, and what is there only for
			// their sake.
			insecure := flags&flagCut != 0 && !has(node, wire.TypeDS) || len(nodeRecords(node)) < recordLen
			if !optOut || !insecure {
				c.add(Warning, ref, wire.TypeNSEC3, "not in the chain of NSEC3 records")
			}
			return true
		}
		rdata, next := nsec3(z.node(match))
		c.bitmap(ref, wire.TypeNSEC3, rdata[6+int(rdata[4])+len(next):], node, flags)
		return true
	})
}

// nsec3 returns the RDATA of a node's first NSEC3 record, and the next hash in it.
func nsec3(node []byte) (rdata, next []byte) {
	recs, _ := rrset(node, wire.TypeNSEC3)
	rdata = recs[recordLen:recordSize(recs)]
	at := 5 + int(rdata[4])
	return rdata, rdata[at+1 : at+1+int(rdata[at])]
}

// bitmap checks that a type bitmap names the types of a node.
func (c *checker) bitmap(ref uint32, chain wire.Type, bitmap, node []byte, flags uint8) {
	for rest := nodeRecords(node); len(rest) >= recordLen; {
		size, n := nextSet(rest)
		t := recordType(rest)
		if flags&flagCut != 0 && t != wire.TypeNS && t != wire.TypeDS && t != wire.TypeNSEC {
			t = 0
		}
		if t != 0 && !inBitmap(bitmap, t) {
			c.add(Warning, ref, chain, "type %s is not in the bitmap", t)
		}
		if n < size && !inBitmap(bitmap, wire.TypeRRSIG) {
			c.add(Warning, ref, chain, "type RRSIG is not in the bitmap")
		}
		rest = rest[size:]
	}
	for b := bitmap; len(b) >= 2 && len(b) >= 2+int(b[1]); b = b[2+int(b[1]):] {
		for i, octet := range b[2 : 2+int(b[1])] {
			for bit := range 8 {
				t := wire.Type(int(b[0])<<8 | i*8 | bit)
				if octet>>(7-bit)&1 != 0 && t != wire.TypeRRSIG && !has(node, t) {
					c.add(Warning, ref, chain, "type %s is in the bitmap, but there are no such records", t)
				}
			}
		}
	}
}

// inBitmap reports whether a type bitmap names t (RFC 4034, section 4.1.2).
func inBitmap(b []byte, t wire.Type) bool {
	for ; len(b) >= 2 && len(b) >= 2+int(b[1]); b = b[2+int(b[1]):] {
		if b[0] == byte(t>>8) {
			i := int(t&0xFF) / 8
			return i < int(b[1]) && b[2+i]>>(7-t&7)&1 != 0
		}
	}
	return false
}
