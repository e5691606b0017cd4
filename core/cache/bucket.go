package cache

import "encoding/binary"

// A bucket is a line of 64 bytes, little endian:
//
//	offset  size  field
//	0       4     next: number of an overflow line, 0 for none (line 0 begins bucket 0)
//	4       4     hand: which ghost is given up next
//	8       7*8   slots: location << 32 | hash
//
// A location is an offset in the memory in units of 8 bytes. The first segment belongs to the index, so
// that small numbers are no locations: 0 marks an empty slot, 1 a ghost, which says that an entry with
// this hash was evicted from the small queue lately. Ghosts live in what room a bucket's entries leave
// in its first line; they cost no memory and no further line.
const (
	lineSize     = 64
	lineShift    = 6
	slotsPerLine = 7
	maxLines     = 5 // lines of one bucket; an insert into a bucket that is longer replaces an entry
)

const (
	emptySlot     = 0
	ghostLocation = 1
)

// line is one line of the index.
type line [lineSize]byte

func (l *line) next() uint32     { return binary.LittleEndian.Uint32(l[0:]) }
func (l *line) setNext(n uint32) { binary.LittleEndian.PutUint32(l[0:], n) }

// turn returns the hand and moves it on.
func (l *line) turn() uint32 {
	h := binary.LittleEndian.Uint32(l[4:])
	binary.LittleEndian.PutUint32(l[4:], h+1)
	return h
}

func (l *line) slot(i int) uint64       { return binary.LittleEndian.Uint64(l[8+i*8:]) }
func (l *line) setSlot(i int, s uint64) { binary.LittleEndian.PutUint64(l[8+i*8:], s) }

func makeSlot(location, hash uint32) uint64 { return uint64(location)<<32 | uint64(hash) }
func slotLocation(s uint64) uint32          { return uint32(s >> 32) }
func slotHash(s uint64) uint32              { return uint32(s) }

// live reports whether a slot holds an entry.
func live(s uint64) bool { return slotLocation(s) > ghostLocation }

// match returns a bit for each slot with the given hash: bit i for slot i. It has no branch that
// depends on where the hash stands, which no predictor can know.
func (l *line) match(hash uint32) uint32 {
	m := equal(binary.LittleEndian.Uint32(l[8:]), hash)
	m |= equal(binary.LittleEndian.Uint32(l[16:]), hash) << 1
	m |= equal(binary.LittleEndian.Uint32(l[24:]), hash) << 2
	m |= equal(binary.LittleEndian.Uint32(l[32:]), hash) << 3
	m |= equal(binary.LittleEndian.Uint32(l[40:]), hash) << 4
	m |= equal(binary.LittleEndian.Uint32(l[48:]), hash) << 5
	m |= equal(binary.LittleEndian.Uint32(l[56:]), hash) << 6
	return m
}

func equal(a, b uint32) (bit uint32) {
	if a == b {
		bit = 1
	}
	return bit
}
