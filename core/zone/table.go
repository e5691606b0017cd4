package zone

import (
	"bytes"
	"encoding/binary"
)

// table finds the log's nodes by name while a zone is built: open addressing, slots of eight octets that
// hold a node's ref in the low half and its hash in the high half, 0 for none.
type table struct {
	memory Memory
	slots  []byte
	mask   uint32 // number of slots less one
	used   uint32
}

// firstSlots is the number of slots of a new table.
const firstSlots = 256

func (t *table) slot(i uint32) uint64 { return binary.LittleEndian.Uint64(t.slots[int(i)*8:]) }

func (t *table) setSlot(i uint32, v uint64) { binary.LittleEndian.PutUint64(t.slots[int(i)*8:], v) }

// find returns the ref of the node with the given name, 0 if there is none.
func (t *table) find(nodes *arena, hash uint32, key []byte) uint32 {
	if t.slots == nil {
		return 0
	}
	for i := hash & t.mask; ; i = (i + 1) & t.mask {
		s := t.slot(i)
		if s == 0 {
			return 0
		}
		if uint32(s>>32) == hash && bytes.Equal(logName(nodes.at(uint32(s))), key) {
			return uint32(s)
		}
	}
}

// insert adds a node that is not in the table.
func (t *table) insert(hash, ref uint32) error {
	// Three quarters full at most: probes stay short.
	if t.slots == nil || t.used > t.mask/4*3 {
		if err := t.grow(); err != nil {
			return err
		}
	}
	t.put(hash, uint64(hash)<<32|uint64(ref))
	t.used++
	return nil
}

func (t *table) put(hash uint32, v uint64) {
	i := hash & t.mask
	for t.slot(i) != 0 {
		i = (i + 1) & t.mask
	}
	t.setSlot(i, v)
}

func (t *table) grow() error {
	size := firstSlots
	if t.slots != nil {
		size = 2 * (int(t.mask) + 1)
	}
	slots, err := t.memory.alloc(size * 8)
	if err != nil {
		return err
	}
	old := *t
	t.slots, t.mask = slots, uint32(size-1)
	if old.slots != nil {
		for i := range old.mask + 1 {
			if s := old.slot(i); s != 0 {
				t.put(uint32(s>>32), s)
			}
		}
	}
	old.release()
	return nil
}

func (t *table) release() {
	t.memory.free(t.slots)
	t.slots = nil
}
