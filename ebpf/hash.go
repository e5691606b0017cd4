package ebpf

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// The programs in the kernel hash names as Multilinear-HM does (Lemire and Kaser, "Strongly universal string hashing is
// fast", 2014): each word of eight octets has keys of its own, and of the sum of the products the upper 32 bits are the
// hash. Whoever does not know the keys can do no better than chance: any two questions have the same 32 bits with
// a probability of 2^-32, whatever is in them, and the same key of a hot answer, which is two such hashes, with 2^-64. In
// wire form no name begins with another one: words that only the longer of two names has change nothing about that.
// c/name.h, c/question.h and c/steer.c do the same.

// Seed is what keys are made of: random and secret.
type Seed [32]byte

const (
	nameWords = MaxName / 8      // words of a name that has a hot answer: NAME_WORDS in c/layout.h
	wireWords = (255 + 7) / 8    // of any name: NAME_WORDS in c/steer.c
	upper     = 0xffffffff << 32 // the bits of a sum that count
)

// Key is under what a hot answer is filed.
type Key uint64

// questionKeys are the keys for what a query asks. The arrays are those of the XDP program.
type questionKeys struct {
	words [nameWords][4]uint64 // two for each half of a Key
	ends  [6]uint64            // to begin each half with, for type and bits in each, and to scatter the whole
}

func newQuestionKeys(seed Seed) *questionKeys {
	k, random := new(questionKeys), rand.NewChaCha8(seed)
	for i := range k.words {
		for j := range k.words[i] {
			k.words[i][j] = random.Uint64()
		}
	}
	for i := range k.ends {
		k.ends[i] = random.Uint64()
	}
	k.ends[4] |= 1 // products with odd numbers differ where the factors do
	k.ends[5] |= 1
	return k
}

// key returns the hash of a question, independent of letter case. The name has MaxName octets at most.
func (k *questionKeys) key(name []byte, typ uint16, bit uint8) Key {
	asked := uint64(bits.ReverseBytes16(typ))<<8 | uint64(bit) // as the program reads it
	high, low := k.ends[0]+k.ends[2]*asked, k.ends[1]+k.ends[3]*asked
	for i := 0; len(name) > 0; i++ {
		var w uint64
		w, name = nextWord(name)
		high += term(k.words[i][0], k.words[i][1], w)
		low += term(k.words[i][2], k.words[i][3], w)
	}
	return k.scatter(high&upper | low>>32)
}

// scatter spreads what differs in few bits over all, one to one: names that are alike would fill some places of the
// table, and leave others free.
func (k *questionKeys) scatter(h uint64) Key {
	h = (h ^ h>>32) * k.ends[4]
	h = (h ^ h>>29) * k.ends[5]
	return Key(h ^ h>>32)
}

// ownerKeys are the keys of the hash that gives each name to a shard, as the steering program has them.
type ownerKeys struct {
	words [wireWords][2]uint64
	first uint64
}

func newOwnerKeys(seed Seed) *ownerKeys {
	k, random := new(ownerKeys), rand.NewChaCha8(seed)
	for i := range k.words {
		k.words[i] = [2]uint64{random.Uint64(), random.Uint64()}
	}
	k.first = random.Uint64()
	return k
}

// owner returns which of n shards owns a name in wire form, of any letter case.
func (k *ownerKeys) owner(name []byte, n int) int {
	sum := k.first
	for i := 0; len(name) > 0; i++ {
		var w uint64
		w, name = nextWord(name)
		sum += term(k.words[i][0], k.words[i][1], w)
	}
	return int((sum >> 32) * uint64(n) >> 32)
}

// Owners tells which shard a Steering ByName gives the queries for a name. It never changes.
type Owners struct{ keys *ownerKeys }

// NewOwners returns those of a seed.
func NewOwners(seed Seed) *Owners { return &Owners{newOwnerKeys(seed)} }

// Of returns which of so many shards owns a name in wire form, of at most 255 octets and in any letter case.
func (o *Owners) Of(name []byte, shards int) int { return o.keys.owner(name, shards) }

// term is what a word adds to a sum.
func term(a, b, word uint64) uint64 { return (a + word&0xffffffff) * (b + word>>32) }

// nextWord takes eight octets off a name, or as many as are left, in lower case and padded with zeros.
func nextWord(name []byte) (uint64, []byte) {
	var w [8]byte
	n := copy(w[:], name)
	return lower8(binary.LittleEndian.Uint64(w[:])), name[n:]
}

// lower8 puts ASCII letters among eight octets in lower case.
func lower8(w uint64) uint64 {
	low := w & 0x7f7f7f7f7f7f7f7f
	upper := (low + 0x3f3f3f3f3f3f3f3f) & ^(low + 0x2525252525252525) & ^w & 0x8080808080808080
	return w | upper>>2
}
