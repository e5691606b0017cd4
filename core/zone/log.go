package zone

import (
	"encoding/binary"

	"heimdall/core/wire"
)

// The log holds the records of a zone as they came, while it is built. A node of the log is
//
//	offset  size
//	0       4     ref of its youngest record; 0: none
//	4       4     hash of the name
//	8       1     flags
//	9       1     length of the name
//	10      n     the name as in the final node
//
// and a record of it
//
//	0       4     ref of the record before it at the same node; 0: none
//	4       4     TTL
//	8       2     type
//	10      2     length of the RDATA
//	12      n     RDATA as in the final node
const (
	logNodeLen   = 10
	logRecordLen = 12
)

// logRecord is a record of the log.
type logRecord struct {
	prev, ttl uint32
	t         wire.Type
	rdata     []byte
}

func parseLogRecord(b []byte) logRecord {
	size := int(binary.LittleEndian.Uint16(b[10:]))
	return logRecord{
		prev:  binary.LittleEndian.Uint32(b),
		ttl:   binary.LittleEndian.Uint32(b[4:]),
		t:     wire.Type(binary.LittleEndian.Uint16(b[8:])),
		rdata: b[logRecordLen : logRecordLen+size : logRecordLen+size],
	}
}

// logName returns the name of a node of the log.
func logName(node []byte) []byte { return node[logNodeLen : logNodeLen+int(node[9])] }

func logHash(node []byte) uint32 { return binary.LittleEndian.Uint32(node[4:]) }

func logHead(node []byte) uint32 { return binary.LittleEndian.Uint32(node) }

// addNode returns the node of a name, a new one if need be.
func (b *Builder) addNode(key []byte) (uint32, error) {
	hash := hashOf(b.seed, key)
	if ref := b.table.find(&b.nodes, hash, key); ref != 0 {
		return ref, nil
	}
	ref, item, err := b.nodes.take(logNodeLen + len(key))
	if err != nil {
		return 0, err
	}
	binary.LittleEndian.PutUint32(item[4:], hash)
	item[9] = byte(len(key))
	copy(item[logNodeLen:], key)
	if len(key) > 0 && key[0] == hashMark {
		item[8] = flagHash
		b.hashes++
	} else {
		b.names++
	}
	b.size += nodeHeader + len(key) + refUnit - 1 // rounded up in the end
	return ref, b.table.insert(hash, ref)
}

// addRecord appends a record to a node of the log.
func (b *Builder) addRecord(ref uint32, t wire.Type, ttl uint32, rdata []byte) error {
	node := b.nodes.at(ref)
	at, item, err := b.records.take(logRecordLen + len(rdata))
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(item, logHead(node))
	binary.LittleEndian.PutUint32(item[4:], ttl)
	binary.LittleEndian.PutUint16(item[8:], uint16(t))
	binary.LittleEndian.PutUint16(item[10:], uint16(len(rdata)))
	copy(item[logRecordLen:], rdata)
	if logHead(node) != 0 && ref != b.lastRef {
		b.scattered = true
	}
	binary.LittleEndian.PutUint32(node, at)
	b.size += recordLen + len(rdata)
	b.lastRef = ref
	return nil
}

// eachNode calls f with every node of the log, those that f adds included.
func (b *Builder) eachNode(f func(ref uint32, node []byte) error) error {
	for c := 0; c < len(b.nodes.chunks); c++ {
		at := 0
		if c == 0 {
			at = refUnit
		}
		for at < b.nodes.ends[c] {
			node := b.nodes.chunks[c][at:]
			size := (logNodeLen + int(node[9]) + refUnit - 1) &^ (refUnit - 1)
			if err := f(uint32(c*chunkRefs+at/refUnit), node); err != nil {
				return err
			}
			at += size
		}
	}
	return nil
}
