package zone

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// The index is an array of buckets, one cache line each:
//
//	offset  size
//	0       12   tags: the low octet of the hash of each entry
//	12      1    number of entries
//	13      1    1: the bucket was full when another entry came; that is in the next bucket or beyond
//	14      2    zero
//	16      48   refs of the entries' nodes
const (
	bucketLen   = 64
	bucketSlots = 12
	// bucketLoad is the mean number of entries: 6 % of the buckets are then full, and a name costs eight
	// octets.
	bucketLoad = 8
)

// bucketCount returns the number of buckets for names.
func bucketCount(names int) int { return names/bucketLoad + 1 }

// bucketOf picks a bucket by the high bits of the hash; the tag is its low octet.
func (z *Zone) bucketOf(hash uint32) uint32 { return uint32(uint64(hash) * uint64(z.buckets) >> 32) }

// insert adds a node to the index.
func (z *Zone) insert(hash, ref uint32) {
	for i := z.bucketOf(hash); ; {
		bucket := z.mem[int(i)*bucketLen:][:bucketLen]
		if n := bucket[12]; n < bucketSlots {
			bucket[n] = byte(hash)
			binary.LittleEndian.PutUint32(bucket[16+int(n)*4:], ref)
			bucket[12]++
			return
		}
		bucket[13] = 1
		if i++; i == z.buckets {
			i = 0
		}
	}
}

const (
	everyOctet = 0x0101010101010101
	highBits   = 0x8080808080808080
)

// find returns the ref of the node with the given name, in lower case and without the origin; 0 if there
// is none.
func (z *Zone) find(key []byte) uint32 { return z.lookup(hashOf(z.seed, key), key) }

// lookup is find for a name whose hash is known.
func (z *Zone) lookup(hash uint32, key []byte) uint32 {
	for i := z.bucketOf(hash); ; {
		bucket := z.mem[int(i)*bucketLen:][:bucketLen]
		n := uint(bucket[12])
		// Octets of x and y are zero where the tag matches. A borrow may mark an octet too many, which
		// costs a look at the name.
		tag := everyOctet * uint64(byte(hash))
		x := binary.LittleEndian.Uint64(bucket) ^ tag
		y := uint64(binary.LittleEndian.Uint32(bucket[8:])^uint32(tag)) | 0xFF<<32
		x = (x - everyOctet) &^ x & highBits
		y = (y - everyOctet) &^ y & highBits
		for ; x != 0; x &= x - 1 {
			if slot := uint(bits.TrailingZeros64(x)) / 8; slot < n {
				if ref := binary.LittleEndian.Uint32(bucket[16+slot*4:]); z.named(ref, key) {
					return ref
				}
			}
		}
		for y &= 0xFFFFFFFF; y != 0; y &= y - 1 {
			if slot := 8 + uint(bits.TrailingZeros64(y))/8; slot < n {
				if ref := binary.LittleEndian.Uint32(bucket[16+slot*4:]); z.named(ref, key) {
					return ref
				}
			}
		}
		if bucket[13] == 0 {
			return 0
		}
		if i++; i == z.buckets {
			i = 0
		}
	}
}

// named reports whether the node at ref has the given name.
func (z *Zone) named(ref uint32, key []byte) bool {
	b := z.mem[int(ref)*refUnit+nodeHeader-1:]
	return int(b[0]) == len(key) && bytes.Equal(b[1:1+len(key)], key)
}
