package zone

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"heimdall/core/dname"
)

// nsecBefore returns the node whose NSEC record matches or covers a name in lower case and without the
// origin: the last one not after it in canonical order. The apex comes first, so that there is one unless
// the zone has no chain; then it returns 0.
func (z *Zone) nsecBefore(n []byte) uint32 {
	low, high := 0, z.chain.len() // the first that is after n is in chain[low:high+1]
	for low < high {
		mid := int(uint(low+high) / 2)
		if dname.Compare(nodeName(z.node(z.chain.at(mid))), n) <= 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return 0
	}
	return z.chain.at(low - 1)
}

// hashName returns the NSEC3 hash of a name in lower case and without the origin.
func (z *Zone) hashName(n []byte) [hashLen]byte {
	var buf [dname.MaxLen + 1]byte
	size := copy(buf[:], n)
	size += copy(buf[size:], z.origin)
	return z.params.nameHash(buf[:size])
}

// hashOf returns the NSEC3 owner that matches a name, 0 if there is none.
func (z *Zone) hashOf(n []byte) uint32 {
	h := z.hashName(n)
	i := z.hashSearch(&h)
	if i == z.hashes.len() || !bytes.Equal(z.hashAt(i), h[:]) {
		return 0
	}
	return z.hashes.at(i)
}

// hashBefore returns the NSEC3 owner that covers a name, or matches it; 0 if the zone has none.
func (z *Zone) hashBefore(n []byte) uint32 {
	count := z.hashes.len()
	if count == 0 {
		return 0
	}
	h := z.hashName(n)
	i := z.hashSearch(&h)
	if i < count && bytes.Equal(z.hashAt(i), h[:]) {
		return z.hashes.at(i)
	}
	// RFC 5155, section 3.1.7: the last one covers what comes before the first.
	return z.hashes.at((i + count - 1) % count)
}

// hashAt returns the hash of the i-th NSEC3 owner.
func (z *Zone) hashAt(i int) []byte {
	at := int(z.hashes.at(i))*refUnit + nodeHeader + 1
	return z.mem[at : at+hashLen]
}

// hashSearch returns the index of the first NSEC3 owner whose hash is not before h. Hashes are spread evenly,
// so that their value says about where to look: a few looks suffice for millions.
func (z *Zone) hashSearch(h *[hashLen]byte) int {
	count := z.hashes.len()
	low, high := 0, count // what is looked for is in [low, high]
	key := binary.BigEndian.Uint64(h[:])
	guess, _ := bits.Mul64(key, uint64(count))
	for width := 1; low < high; {
		i := min(max(int(guess), low), high-1)
		if bytes.Compare(z.hashAt(i), h[:]) < 0 {
			low = i + 1
			guess = uint64(min(i+width, (low+high)/2))
		} else {
			high = i
			guess = uint64(max(i-width, (low+high)/2))
		}
		width *= 4
	}
	return low
}
