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
}

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

// hold counts a response that is going to be validated. Where there is no room, the largest of those that wait for the keys of
// their zones goes, if it is larger than this one: so that who has large ones wait takes the room from nobody.
func (m *Machine) hold(size int, sub bool) bool {
	if m.held.take(size, sub) {
		return true
	}
	largest := int32(-1)
	for i, most := 0, size; i < m.tasks.used; i++ {
		if t, v := &m.tasks.list[i], m.validations[i]; v != nil && v.job == nil && v.size > most && t.running && t.depth == 0 {
			largest, most = int32(i), v.size
		}
	}
	if largest < 0 {
		return false
	}
	m.fail(largest, edeBusy, tooMuchHeld)
	return m.held.take(size, sub)
}

// trim empties a buffer, and lets it go if it has grown beyond what is kept.
func trim[S ~[]T, T any](b S, kept int) S {
	if cap(b) > kept {
		return nil
	}
	return b[:0]
}
