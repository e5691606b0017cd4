package resolver

// Bounds of what a Machine takes besides its tables and Options.Memory, in bytes. What strangers send decides how much
// of it is used: a message of 64 KiB can have names in it that unpack to thirty times as much.
const (
	// maxTaken bounds the records taken from one response, their names unpacked. The longest RRsets in use, of some
	// thousand addresses or names, take half of it.
	maxTaken = 256 << 10

	// keptOctets, keptParts and keptActions are what buffers may have grown to and still be kept for the next use.
	keptOctets  = 64 << 10
	keptParts   = 512
	keptActions = 256

	// heldPerTask is what tasks may hold on average for responses that are being validated and for chains of aliases;
	// one signed answer takes about as much. Sub-tasks, which others wait for, may take a quarter more.
	heldPerTask = 2 << 10

	leastTrust = 256 << 10
	mostTrust  = 8 << 20
	trustShare = 16
)

// TrustMemory returns what the links of the chain of trust and the denials of a Machine take at most, for one that has
// so much memory for what it learns and for whole answers together: a sixteenth of that, from 256 KiB to 8 MiB.
func TrustMemory(memory int) int { return min(max(memory/trustShare, leastTrust), mostTrust) }

// held counts the memory that tasks hold.
type held struct {
	bytes int
	limit int
	hand  int // the task from which on the next search for the largest looks
}

// heldScan bounds the tasks that one search for the largest looks at: about 20 µs.
const heldScan = 1024

func newHeld(tasks int) held { return held{limit: max(heldPerTask*tasks, 1<<20)} }

// take counts n bytes more, if they are within the bound.
func (h *held) take(n int, sub bool) bool {
	limit := h.limit
	if sub {
		limit += limit / 4
	}
	if h.bytes+n > limit {
		return false
	}
	h.bytes += n
	return true
}

// tooMuchHeld is what clients are told whose responses have no room.
const tooMuchHeld = "too many responses wait to be validated"

// hold counts what task i is going to hold more; false if there is no room. To make room, it looks at up to heldScan tasks for
// the client's question that holds most, and has that fail if it holds more than i would: whoever keeps large responses
// waiting takes the room from nobody else.
func (m *Machine) hold(i int32, size int, sub bool) bool {
	if m.held.take(size, sub) {
		return true
	}
	largest, most := int32(-1), m.holds(i)+size
	for range min(len(m.tasks.table.Touched()), heldScan) {
		m.held.hand = (m.held.hand + 1) % len(m.tasks.table.Touched())
		k := int32(m.held.hand)
		if t := m.tasks.at(k); k != i && t.running && t.depth == 0 && m.holds(k) > most {
			largest, most = k, m.holds(k)
		}
	}
	if largest < 0 {
		return false
	}
	m.fail(largest, edeBusy, tooMuchHeld)
	return m.held.take(size, sub)
}

// holds returns what is free again when a task ends: a job of its own that runs keeps what it has.
func (m *Machine) holds(i int32) int {
	n := len(m.chains.get(m.tasks.at(i).chain))
	if m.validations != nil {
		if v := m.validations[i]; v != nil && v.job == nil {
			n += v.size
		}
	}
	return n
}

// trim empties a buffer, and lets it go if it has grown beyond what is kept.
func trim[S ~[]T, T any](b S, kept int) S {
	if cap(b) > kept {
		return nil
	}
	return b[:0]
}
