package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// hosts looks at the hosts that the records of a node name: they have addresses, and are no aliases.
func (c *checker) hosts(ref uint32, node []byte) {
	for rest := nodeRecords(node); len(rest) >= recordLen; rest = rest[recordSize(rest):] {
		switch recordType(rest) {
		case wire.TypeNS, wire.TypeMX, wire.TypeSRV:
			c.host(ref, rest)
		}
	}
}

// host looks at the host that a record names. Whether name servers have addresses, glue looks for.
func (c *checker) host(ref uint32, rec []byte) {
	n, before, inside := c.z.target(c.buf[:0], rec)
	rdata := rec[recordLen:recordSize(rec)]
	if !inside {
		if before > 0 || recordType(rec) == wire.TypeNS {
			if labels, _, _ := compactName(rdata[before:]); isAddress(labels) {
				c.addRecord(Warning, ref, rec, "%s is an address: want a name", dname.Name(append(labels[:len(labels):len(labels)], 0)))
			}
		}
		return
	}
	name := func() dname.Name { return append(n[:len(n):len(n)], c.z.origin...) }
	if len(name()) == 1 {
		return // RFC 7505, RFC 2782: the root stands for none
	}
	f := c.z.search(n, len(n), c.z.find(n), wire.TypeA)
	switch f.how {
	case matched, expanded:
		host := c.z.node(f.node)
		switch {
		case has(host, wire.TypeCNAME):
			c.addRecord(Warning, ref, rec, "%s is an alias: want the name that it stands for", name()) // RFC 2181, section 10.3
		case recordType(rec) != wire.TypeNS && !has(host, wire.TypeA) && !has(host, wire.TypeAAAA):
			c.addRecord(Warning, ref, rec, "no address of %s", name())
		}
	case absent:
		if recordType(rec) != wire.TypeNS {
			c.addRecord(Warning, ref, rec, "no address of %s", name())
		}
	}
}

// isAddress reports whether labels, without the root, are the four numbers of an IPv4 address.
func isAddress(labels []byte) bool {
	count := 0
	for ; len(labels) > 0; labels = labels[1+int(labels[0]):] {
		if size := int(labels[0]); size > 3 || !isNumber(labels[1:1+size]) {
			return false
		}
		count++
	}
	return count == 4
}
