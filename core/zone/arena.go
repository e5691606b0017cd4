package zone

import "fmt"

// arena is memory that only grows, for a Builder's log. It is cut into items, which are found again by
// their ref. Items are aligned to four octets and do not span chunks.
type arena struct {
	memory  Memory
	chunks  [][]byte // nil once released
	ends    []int    // octets in use of each chunk
	private int      // length of the first chunk while it is on the heap; 0 afterwards
}

const (
	// chunkSize is the size of a chunk in bytes: small beside a large zone, large beside the largest item,
	// and the size of a huge page.
	chunkSize = 2 << 20
	// chunkRefs is the number of refs in a chunk.
	chunkRefs = chunkSize / refUnit
	// maxChunks is what the refs of 32 bits can tell apart.
	maxChunks = 1 << 32 / chunkRefs
	// firstChunk is where the first chunk begins to grow, in bytes: small zones stay small.
	firstChunk = 4 << 10
)

// Memory gives a Builder memory for what it needs until Finish returns. The zero value takes it from the
// Go heap.
type Memory struct {
	Alloc func(size int) ([]byte, error) // zeroed memory
	Free  func([]byte)                   // what Alloc returned, whole
}

func (m *Memory) alloc(size int) ([]byte, error) {
	if m.Alloc == nil {
		return make([]byte, size), nil
	}
	b, err := m.Alloc(size)
	if err == nil && len(b) < size {
		return nil, fmt.Errorf("got %d bytes of memory, asked for %d", len(b), size)
	}
	return b, err
}

func (m *Memory) free(b []byte) {
	if m.Free != nil && b != nil {
		m.Free(b)
	}
}

// take returns a new item of size octets, zeroed.
func (a *arena) take(size int) (ref uint32, item []byte, err error) {
	size = (size + refUnit - 1) &^ (refUnit - 1)
	last := len(a.chunks) - 1
	if last < 0 || a.ends[last]+size > chunkSize {
		if err := a.add(); err != nil {
			return 0, nil, err
		}
		last++
	}
	end := a.ends[last] + size
	if last == 0 && end > len(a.chunks[0]) {
		if err := a.grow(end); err != nil {
			return 0, nil, err
		}
	}
	at := a.ends[last]
	a.ends[last] = end
	return uint32(last*chunkRefs + at/refUnit), a.chunks[last][at:end:end], nil
}

// add begins another chunk.
func (a *arena) add() error {
	if len(a.chunks) == maxChunks {
		return fmt.Errorf("zone is larger than %d bytes", maxChunks*chunkSize)
	}
	if len(a.chunks) == 0 {
		a.chunks = append(a.chunks, make([]byte, firstChunk))
		a.ends = append(a.ends, refUnit) // ref 0 is none
		a.private = firstChunk
		return nil
	}
	chunk, err := a.memory.alloc(chunkSize)
	if err != nil {
		return err
	}
	a.chunks = append(a.chunks, chunk)
	a.ends = append(a.ends, 0)
	return nil
}

// grow makes the first chunk at least size bytes long.
func (a *arena) grow(size int) error {
	for a.private < size {
		a.private *= 2
	}
	if a.private < chunkSize {
		a.chunks[0] = append(make([]byte, 0, a.private), a.chunks[0]...)[:a.private]
		return nil
	}
	chunk, err := a.memory.alloc(chunkSize)
	if err != nil {
		return err
	}
	copy(chunk, a.chunks[0])
	a.chunks[0] = chunk
	a.private = 0
	return nil
}

// at returns the item at ref and whatever follows it in its chunk.
func (a *arena) at(ref uint32) []byte { return a.chunks[ref/chunkRefs][ref%chunkRefs*refUnit:] }

// release gives back the chunks below n.
func (a *arena) release(n int) {
	for i := range min(n, len(a.chunks)) {
		if i > 0 || a.private == 0 {
			a.memory.free(a.chunks[i])
		}
		a.chunks[i] = nil
	}
}
