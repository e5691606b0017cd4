package ebpf

import (
	"encoding/binary"
	"math/bits"
)

// NameHash returns the hash of a name in wire form that the programs in the kernel use: independent of letter
// case, eight octets a step. c/name.h and c/question.h do the same.
func NameHash(seed uint64, name []byte) uint64 {
	h := seed
	for ; len(name) >= 8; name = name[8:] {
		h = mix(h, lower8(binary.LittleEndian.Uint64(name)))
	}
	if len(name) > 0 {
		var last [8]byte
		copy(last[:], name)
		h = mix(h, lower8(binary.LittleEndian.Uint64(last[:])))
	}
	return h
}

// Owner returns which of n shards owns the name with a hash.
func Owner(hash uint64, n int) int {
	return int((hash >> 32) * uint64(n) >> 32)
}

// Key is under what a hot answer is filed.
type Key uint64

// keyOf returns the key of an answer; typ is in network order, as the program reads it.
func keyOf(hash uint64, typ uint16, bit uint8) Key {
	return Key(mix(hash, uint64(bits.ReverseBytes16(typ))<<8|uint64(bit)))
}

func mix(hash, word uint64) uint64 {
	hash = (hash ^ word) * 0x9e3779b97f4a7c15
	return hash ^ hash>>32
}

// lower8 puts ASCII letters among eight octets in lower case.
func lower8(w uint64) uint64 {
	low := w & 0x7f7f7f7f7f7f7f7f
	upper := (low + 0x3f3f3f3f3f3f3f3f) & ^(low + 0x2525252525252525) & ^w & 0x8080808080808080
	return w | upper>>2
}
