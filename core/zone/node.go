package zone

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

const (
	// refUnit is what refs count, in octets.
	refUnit = 4
	// nodeHeader is the length of a node's header in octets, the length of its name included.
	nodeHeader = 5
	// recordLen is the length in octets of a record without owner and RDATA.
	recordLen = 10
	// maxNode is the largest node in octets: its size has 24 bits.
	maxNode = (1<<24 - 1) * refUnit
	// hashMark begins the name of an NSEC3 owner. No label is so long.
	hashMark = 0xFF
	// hashLen is the length in octets of an NSEC3 hash, and of its node's name less one (RFC 5155, section 11).
	hashLen = 20
)

// Flags of a node.
const (
	flagCut   = 1 << iota // has NS records and is not the apex
	flagDNAME             // has a DNAME record
	flagBelow             // lies below a cut or a DNAME: no authoritative data
	flagWild              // has a child *
	flagHash              // is an NSEC3 owner
	flagNSEC              // has an NSEC record
)

func nodeSize(name, records int) int {
	return (nodeHeader + name + records + refUnit - 1) &^ (refUnit - 1)
}

// node returns the node at ref.
func (z *Zone) node(ref uint32) []byte {
	b := z.mem[int(ref)*refUnit:]
	return b[: int(binary.LittleEndian.Uint32(b)&0xFFFFFF)*refUnit : int(binary.LittleEndian.Uint32(b)&0xFFFFFF)*refUnit]
}

func (z *Zone) flags(ref uint32) uint8 { return z.mem[int(ref)*refUnit+3] }

// nodeName returns the name of a node without the zone's origin.
func nodeName(node []byte) []byte { return node[nodeHeader : nodeHeader+int(node[4])] }

// nodeRecords returns the records of a node, and up to three zeros.
func nodeRecords(node []byte) []byte { return node[nodeHeader+int(node[4]):] }

// recordType, recordTTL and recordSize read the record that b begins with.
func recordType(b []byte) wire.Type { return wire.Type(binary.BigEndian.Uint16(b)) }

func recordTTL(b []byte) uint32 { return binary.BigEndian.Uint32(b[4:]) }

func recordSize(b []byte) int { return recordLen + int(binary.BigEndian.Uint16(b[8:])) }

// covered returns the type that the RRSIG record b covers.
func covered(b []byte) wire.Type { return wire.Type(binary.BigEndian.Uint16(b[recordLen:])) }

// rrset returns a node's records of type t, and the RRSIG records that cover them.
func rrset(node []byte, t wire.Type) (recs, sigs []byte) {
	rest := nodeRecords(node)
	for len(rest) >= recordLen {
		first := rest
		size, n := nextSet(rest)
		rest = rest[size:]
		if recordType(first) == t {
			return first[:n], first[n:size]
		}
	}
	return nil, nil
}

// nextSet measures the RRset that b begins with: the octets of its records with their RRSIG records, and
// without these. An RRSIG record whose RRset is not there stands for itself.
func nextSet(b []byte) (size, records int) {
	t := recordType(b)
	size = recordSize(b)
	for len(b)-size >= recordLen && recordType(b[size:]) == t {
		size += recordSize(b[size:])
	}
	records = size
	for len(b)-size >= recordLen && recordType(b[size:]) == wire.TypeRRSIG && covered(b[size:]) == t {
		size += recordSize(b[size:])
	}
	return size, records
}

// has reports whether a node has records of type t.
func has(node []byte, t wire.Type) bool {
	recs, _ := rrset(node, t)
	return recs != nil
}

// hashOf is the hash by which names are found.
func hashOf(seed uint64, key []byte) uint32 { return uint32(dname.Hash(seed, key)) }
