package zone

import (
	"bytes"
	"cmp"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// What ZONEMD records hold (RFC 8976, section 2.2).
const (
	schemeSimple = 1
	hashSHA384   = 1
	hashSHA512   = 2
)

// digest verifies the zone's ZONEMD records (RFC 8976, section 4): one that is right will do.
func (c *checker) digest() {
	z := c.z
	recs, _ := rrset(z.node(z.apex), wire.TypeZONEMD)
	if recs == nil {
		return
	}
	z.digest = DigestUnsupported
	for rest := recs; len(rest) >= recordLen; rest = rest[recordSize(rest):] {
		rdata := rest[recordLen:recordSize(rest)]
		serial, scheme, algorithm, digest := binary.BigEndian.Uint32(rdata), rdata[4], rdata[5], rdata[6:]
		if serial != z.serial || scheme != schemeSimple || repeated(recs, scheme, algorithm) {
			continue
		}
		var h hash.Hash
		switch algorithm {
		case hashSHA384:
			h = sha512.New384()
		case hashSHA512:
			h = sha512.New()
		default:
			continue
		}
		z.hashAll(h)
		if bytes.Equal(h.Sum(nil), digest) {
			z.digest = DigestVerified
			return
		}
		z.digest = DigestWrong
	}
	switch z.digest {
	case DigestWrong:
		c.p.add(Error, z.origin, wire.TypeZONEMD, "the digest is not that of the zone")
	case DigestUnsupported:
		c.p.add(Warning, z.origin, wire.TypeZONEMD, "no record with the SOA's serial, scheme SIMPLE and a known hash: not verified")
	}
}

// repeated reports whether more than one record has the scheme and hash: then none of them counts (RFC 8976,
// section 4, step 4).
func repeated(recs []byte, scheme, algorithm byte) bool {
	count := 0
	for ; len(recs) >= recordLen; recs = recs[recordSize(recs):] {
		if recs[recordLen+4] == scheme && recs[recordLen+5] == algorithm {
			count++
		}
	}
	return count > 1
}

// hashAll writes the zone in canonical order and form to h (RFC 8976, section 3.3).
func (z *Zone) hashAll(h hash.Hash) {
	var nodes []uint32
	z.eachRef(func(ref uint32) bool {
		nodes = append(nodes, ref)
		return true
	})
	slices.SortFunc(nodes, z.compareNodes)
	var records [][]byte // type to RDATA, in canonical form
	var owner, buf []byte
	for _, ref := range nodes {
		node := z.node(ref)
		owner = z.appendName(owner[:0], node)
		records, buf = records[:0], buf[:0]
		for rest := nodeRecords(node); len(rest) >= recordLen; rest = rest[recordSize(rest):] {
			t := recordType(rest)
			if ref == z.apex && (t == wire.TypeZONEMD || t == wire.TypeRRSIG && covered(rest) == wire.TypeZONEMD) {
				continue
			}
			rdata := appendExpanded(nil, z.origin, t, rest[recordLen:recordSize(rest)])
			r := append(make([]byte, 0, recordLen+len(rdata)), rest[:recordLen]...)
			r = wire.CanonicalRData(r, t, rdata)
			binary.BigEndian.PutUint16(r[8:], uint16(len(r)-recordLen))
			records = append(records, r)
		}
		slices.SortFunc(records, func(x, y []byte) int {
			return cmp.Or(cmp.Compare(recordType(x), recordType(y)), bytes.Compare(x[recordLen:], y[recordLen:]))
		})
		for _, r := range records {
			buf = append(append(buf, owner...), r...)
		}
		h.Write(buf)
	}
}

// compareNodes orders nodes by their names in canonical order.
func (z *Zone) compareNodes(x, y uint32) int {
	var xs, ys [1 + hashLen*8/5]byte
	return dname.Compare(labelsOf(xs[:0], z.node(x)), labelsOf(ys[:0], z.node(y)))
}

// labelsOf returns a node's labels without the origin, in dst if they are made from a hash.
func labelsOf(dst, node []byte) []byte {
	name := nodeName(node)
	if len(name) > 0 && name[0] == hashMark {
		return appendHash(dst, name[1:])
	}
	return name
}
