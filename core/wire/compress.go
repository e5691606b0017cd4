package wire

import "heimdall/core/dname"

const (
	// maxNames limits the labels that a compressor remembers. Beyond it messages are still right, only
	// longer. 254 is what a one-octet index can tell apart, 0 being the root.
	maxNames = 254
	// nameSlots is the number of hash chains, a power of two.
	nameSlots = 64
	// maxChain limits the entries of a chain that are looked at. Four is the mean when all entries are in
	// use; only names made to collide reach the limit, and they are then not compressed.
	maxChain = 16
	// maxPointer is the largest offset that a compression pointer can hold (RFC 1035, section 4.1.4).
	maxPointer = 1<<14 - 1
)

// compressor remembers where names stand in a message, as a tree of labels: an entry is one label below a
// parent entry, entry 0 being the root. Entries are only ever added at the end and removed from the end.
type compressor struct {
	used    int                  // entries in use besides the root's
	heads   [nameSlots]uint8     // first entry of each hash chain; 0: none
	entries [maxNames + 1]cEntry // [0] stands for the root and is never read

	// Filled by find for add: where the labels of the name begin, and the entry of the known suffix.
	starts  [dname.MaxLabels]uint8
	missing int // labels, from the left, that are not known
	parent  uint8
}

type cEntry struct {
	off    uint16 // of the label's length octet in the message
	parent uint8
	next   uint8 // entry in the same chain; 0: none
	slot   uint8
}

func (c *compressor) reset() {
	c.used = 0
	clear(c.heads[:])
}

// rollback forgets all but the first used entries. Chains grow at the head, so the youngest entry of a
// chain is always its first.
func (c *compressor) rollback(used int) {
	for ; c.used > used; c.used-- {
		e := &c.entries[c.used]
		c.heads[e.slot] = e.next
	}
}

// find looks for the longest suffix of n that stands in msg. It returns the length of what precedes that
// suffix, and the suffix's offset, 0 if there is none but the root.
func (c *compressor) find(msg []byte, n dname.Name) (prefix int, pointer uint16) {
	labels := 0
	for i := 0; n[i] != 0; i += 1 + int(n[i]) {
		c.starts[labels] = uint8(i)
		labels++
	}
	c.parent = 0
	prefix = len(n) - 1
	for ; labels > 0; labels-- {
		start := int(c.starts[labels-1])
		label := n[start:prefix]
		e := c.lookup(msg, label, slotOf(c.parent, label))
		if e == 0 {
			break
		}
		c.parent = e
		prefix, pointer = start, c.entries[e].off
	}
	c.missing = labels
	return prefix, pointer
}

// add remembers the labels that the last find did not know, which are prefix and now stand at msg[at:].
func (c *compressor) add(prefix []byte, at int) {
	end := len(prefix)
	for i := c.missing - 1; i >= 0; i-- {
		start := int(c.starts[i])
		if at+start > maxPointer || c.used == maxNames {
			return
		}
		slot := slotOf(c.parent, prefix[start:end])
		c.used++
		c.entries[c.used] = cEntry{off: uint16(at + start), parent: c.parent, next: c.heads[slot], slot: slot}
		c.heads[slot] = uint8(c.used)
		c.parent = uint8(c.used)
		end = start
	}
}

// lookup returns the entry of label, its length octet included, below the parent; 0 if there is none.
func (c *compressor) lookup(msg, label []byte, slot uint8) uint8 {
	e := c.heads[slot]
	for range maxChain {
		if e == 0 {
			break
		}
		entry := &c.entries[e]
		at := int(entry.off)
		if end := at + len(label); entry.parent == c.parent && end <= len(msg) && dname.Equal(msg[at:end], label) {
			return e
		}
		e = entry.next
	}
	return 0
}

// slotOf picks the hash chain for a label below a parent.
func slotOf(parent uint8, label []byte) uint8 {
	return uint8(dname.Hash(uint64(parent), label) % nameSlots)
}
