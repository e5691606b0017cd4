package zone

import (
	"encoding/binary"

	"heimdall/core/dname"
)

// Zone is one version of one zone. It does not change: safe for concurrent use, as long as its memory is
// left alone.
type Zone struct {
	mem     []byte // up to the end of the last node
	memory  int    // what was asked for, in bytes
	buckets uint32 // of the index, at the start of mem
	nodes   int    // offset of the first node
	seed    uint64
	origin  dname.Name // lower case

	apex   uint32 // ref
	soa    []byte // the SOA record, in mem
	serial uint32
	negTTL uint32 // of the SOA in negative responses, in seconds

	records, names int

	chain  refs // of the nodes with NSEC records
	hashes refs // of the NSEC3 owners with the zone's parameters
	params hashParams
	digest Digest
}

// Origin returns the name of the apex in lower case. The caller must not write to it.
func (z *Zone) Origin() dname.Name { return z.origin }

// elsewhere tells whether z only marks where names begin that are asked of others.
func (z *Zone) elsewhere() bool { return z.mem == nil }

// Serial returns the serial number of the SOA record.
func (z *Zone) Serial() uint32 { return z.serial }

// Records returns the number of records, those that differ in nothing but letter case counted once.
func (z *Zone) Records() int { return z.records }

// Names returns the number of names that own records or have names below them, NSEC3 owners excepted.
func (z *Zone) Names() int { return z.names }

// Memory returns the size of the zone in bytes: the memory that Finish asked for.
func (z *Zone) Memory() int { return z.memory }

// Signed reports whether the zone has a chain of NSEC or NSEC3 records.
func (z *Zone) Signed() bool { return len(z.chain) > 0 || len(z.hashes) > 0 }

// Digest says whether the zone's ZONEMD record was verified.
func (z *Zone) Digest() Digest { return z.digest }

// Digest is the outcome of the verification of ZONEMD records (RFC 8976, section 4).
type Digest uint8

const (
	DigestAbsent      Digest = iota // the zone has no ZONEMD record
	DigestUnsupported               // none of a known scheme and hash for this serial
	DigestVerified
	DigestWrong
)

func (d Digest) String() string {
	switch d {
	case DigestUnsupported:
		return "unsupported"
	case DigestVerified:
		return "verified"
	case DigestWrong:
		return "wrong"
	}
	return "absent"
}

// refs is an array of refs in memory.
type refs []byte

func (r refs) len() int { return len(r) / 4 }

func (r refs) at(i int) uint32 { return binary.LittleEndian.Uint32(r[i*4:]) }

// appendName appends the whole name of a node.
func (z *Zone) appendName(dst []byte, node []byte) []byte {
	name := nodeName(node)
	if len(name) > 0 && name[0] == hashMark {
		dst = appendHash(dst, name[1:])
	} else {
		dst = append(dst, name...)
	}
	return append(dst, z.origin...)
}

// eachRef calls f with every node, until f returns false.
func (z *Zone) eachRef(f func(ref uint32) bool) {
	for at := z.nodes; at < len(z.mem); {
		ref := uint32(at / refUnit)
		if !f(ref) {
			return
		}
		at += len(z.node(ref))
	}
}
