package zone

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// digestLen returns the length in octets of a DS digest; 0: unknown (RFC 4034, RFC 4509, RFC 6605).
func digestLen(algorithm byte) int {
	switch algorithm {
	case 1:
		return 20
	case 2:
		return 32
	case 4:
		return 48
	}
	return 0
}

// digests tells of DS and CDS records whose digest has not the length of its type: no DNSKEY record has it.
func (c *checker) digests(ref uint32, node []byte) {
	for _, t := range [...]wire.Type{wire.TypeDS, wire.TypeCDS} {
		recs, _ := rrset(node, t)
		for ; len(recs) >= recordLen; recs = recs[recordSize(recs):] {
			rdata := recs[recordLen:recordSize(recs)]
			if len(rdata) < 4 {
				continue
			}
			if want := digestLen(rdata[3]); want != 0 && len(rdata) != 4+want {
				c.addRecord(Warning, ref, recs, "digest of type %d has %d octets, not %d", rdata[3], len(rdata)-4, want)
			}
		}
	}
}

// defaults tells of SvcParams with no-default-alpn and no alpn, which clients reject (RFC 9460, section 7.1.1).
func (c *checker) defaults(ref uint32, node []byte) {
	for _, t := range [...]wire.Type{wire.TypeSVCB, wire.TypeHTTPS} {
		recs, _ := rrset(node, t)
		for ; len(recs) >= recordLen; recs = recs[recordSize(recs):] {
			rdata := recs[recordLen:recordSize(recs)]
			target, ok := dname.Parse(rdata[2:])
			if !ok {
				continue
			}
			alpn := false
			for rest := rdata[2+len(target):]; len(rest) >= 4; {
				switch binary.BigEndian.Uint16(rest) {
				case 1:
					alpn = true
				case 2:
					if !alpn {
						c.addRecord(Warning, ref, recs, "no-default-alpn without alpn: clients reject the record")
					}
				}
				rest = rest[min(4+int(binary.BigEndian.Uint16(rest[2:])), len(rest)):]
			}
		}
	}
}
