// Package zone holds authoritative zones and answers from them (RFC 1034, section 4.3.2).
//
// A Builder takes the records of one zone in any order and packs them into one piece of memory given by
// the caller, without a pointer in it. A Zone is that memory with what is needed to read it, and never
// changes. A Set is all zones of the server, and answers queries without allocating.
//
// # Layout of a zone's memory
//
// Numbers are little-endian unless they are DNS records. A ref is an offset in units of four octets.
//
//	buckets   64 octets each: the index of all names but NSEC3 owners (index.go)
//	chain     refs of the nodes that have an NSEC record, in canonical order, four octets each
//	hashes    refs of the nodes that are NSEC3 owners, by hash, four octets each
//	nodes     one for each name, in the order in which names were first met
//
// A node is
//
//	offset  size
//	0       4     bits 0-23: size of the node in units of four octets; bits 24-31: flags
//	4       1     length of the name
//	5       n     the name in lower case, without the labels of the zone's origin and without the root;
//	              of an NSEC3 owner: the octet 0xFF and the hash
//	5+n     ...   records in wire form without their owner: type, class, TTL, length, RDATA
//	...     0-3   zeros
//
// Records of one RRset stand together, followed by the RRSIG records that cover it. In the RDATA of the
// types that may be compressed, a name in the zone ends with a compression pointer to offset 0 in place
// of the origin: answering is a copy, and a patch of that pointer.
package zone
