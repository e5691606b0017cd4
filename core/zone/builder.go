package zone

import (
	"bytes"
	"errors"
	"fmt"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Options are what a Builder may be told. The zero value is sound.
type Options struct {
	Seed   uint64 // of the index's hash; names are the operator's, so that it need not be secret
	Memory Memory // for the time until Finish returns; besides the result about as large as the result
	// Checks asks for the checks that cost a look at the whole zone: glue, and the chain of NSEC or NSEC3
	// records and signatures of a signed zone. What they find are warnings.
	Checks bool
	// Now is the time in seconds since 1970 at which signatures should be valid, for Checks; 0: do not look.
	Now uint32
}

// Builder collects the records of one zone. Not safe for concurrent use. After Finish it is of no use.
type Builder struct {
	options Options
	seed    uint64
	origin  dname.Name // lower case

	nodes, records arena
	table          table
	problems       problems
	outside        int // records that are not in the zone

	given         int  // records
	added         int  // of these
	names, hashes int  // nodes by kind
	size          int  // of the final nodes at most, in octets
	scattered     bool // some name's records do not stand together in the log

	lastOwner []byte // as given to Add
	lastNode  uint32 // its node
	lastRef   uint32 // node of the last record

	key   [dname.MaxLen + 1]byte
	rdata []byte
}

var (
	errNoName   = errors.New("no origin")
	errLong     = errors.New("RDATA longer than 65535 octets")
	errMeta     = errors.New("a zone cannot hold records of this type")
	errBadRData = errors.New("malformed RDATA")
)

// NewBuilder makes a Builder for the zone with the given origin, of which it keeps a copy.
func NewBuilder(origin dname.Name, o Options) *Builder {
	return &Builder{options: o, seed: o.Seed, origin: dname.AppendLower(nil, origin),
		nodes: arena{memory: o.Memory}, records: arena{memory: o.Memory}, table: table{memory: o.Memory}}
}

// Add adds one record. Records come in any order, but those of one name together are added faster. The
// names are uncompressed; nothing is kept of the arguments. What is wrong with the zone is told by Finish:
// an error here means that this record, or for lack of memory any record, cannot be taken.
func (b *Builder) Add(owner dname.Name, t wire.Type, c wire.Class, ttl uint32, rdata []byte) error {
	b.given++
	switch {
	case len(b.origin) == 0:
		return errNoName
	case len(rdata) > wire.MaxLen:
		return errLong
	case t.IsMeta() || t == 0:
		return errMeta
	case c != wire.ClassIN:
		return fmt.Errorf("class is %s: zones are of class IN", c)
	case !sound(t, rdata):
		return errBadRData
	}
	if !bytes.Equal(owner, b.lastOwner) || b.lastOwner == nil {
		if !owner.In(b.origin) {
			// RFC 1035, section 5.2: it is no part of this zone. Others ignore it, too.
			if b.outside++; b.outside <= maxProblems {
				b.problems.addAt(where{ordinal: b.given}, Warning, bytes.Clone(owner), t, "not in the zone: ignored")
			}
			return nil
		}
		b.lastOwner = append(b.lastOwner[:0], owner...)
		b.lastNode = 0
	}
	hash, isHash := b.hashOwner(owner, t, rdata)
	var at uint32
	switch {
	case isHash:
		key := append(append(b.key[:0], hashMark), hash[:]...)
		ref, err := b.addNode(key)
		if err != nil {
			return err
		}
		at = ref
	case b.lastNode != 0:
		at = b.lastNode
	default:
		ref, err := b.addNode(dname.AppendLower(b.key[:0], owner[:len(owner)-len(b.origin)]))
		if err != nil {
			return err
		}
		b.lastNode = ref
		at = ref
	}
	if ttl > maxTTL {
		ttl = 0
	}
	b.rdata = appendCompact(b.rdata[:0], b.origin, t, rdata)
	if err := b.addRecord(at, t, ttl, b.rdata); err != nil {
		return err
	}
	b.mark(at, t)
	b.added++
	return nil
}

// maxTTL is the largest TTL in seconds; larger ones mean 0 (RFC 2181, section 8).
const maxTTL = 1<<31 - 1

// mark notes in a node's flags that it has a record of type t.
func (b *Builder) mark(at uint32, t wire.Type) {
	node := b.nodes.at(at)
	switch t {
	case wire.TypeNS:
		if node[9] != 0 {
			node[8] |= flagCut
		}
	case wire.TypeDNAME:
		node[8] |= flagDNAME
	case wire.TypeNSEC:
		node[8] |= flagNSEC
	}
}

// hashOwner reports whether a record belongs to an NSEC3 owner, which is kept apart from the names of the
// zone (RFC 5155, section 7.2.8), and the hash.
func (b *Builder) hashOwner(owner dname.Name, t wire.Type, rdata []byte) (hash [hashLen]byte, ok bool) {
	if t != wire.TypeNSEC3 && (t != wire.TypeRRSIG || wire.Type(uint16(rdata[0])<<8|uint16(rdata[1])) != wire.TypeNSEC3) {
		return hash, false
	}
	label := owner[:len(owner)-len(b.origin)]
	if len(label) != 1+hashLen*8/5 || int(label[0]) != hashLen*8/5 {
		return hash, false
	}
	return parseHash(label[1:])
}

// sound reports whether RDATA of the types that are looked into is well formed. zonefile and UnpackRData
// let nothing else through; a Builder trusts nobody, as answering trusts it.
func sound(t wire.Type, rdata []byte) bool {
	switch t {
	case wire.TypeA, wire.TypeAAAA, wire.TypeNS, wire.TypeCNAME, wire.TypePTR, wire.TypeMX, wire.TypeSOA, wire.TypeDNAME,
		wire.TypeSRV, wire.TypeRRSIG, wire.TypeNSEC, wire.TypeNSEC3, wire.TypeNSEC3PARAM, wire.TypeDS, wire.TypeDNSKEY,
		wire.TypeSVCB, wire.TypeHTTPS, wire.TypeZONEMD:
		return soundFields(t, rdata)
	}
	return true
}
