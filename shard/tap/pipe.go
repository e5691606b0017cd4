package tap

import "sync"

// pipeSize bounds what waits for one output, in bytes. As much again may be on its way.
const pipeSize = 4 << 20

// pipe takes whole items, lines or frames, to the goroutine that writes them. Who puts them in never waits. Safe for
// concurrent use.
type pipe struct {
	mu   sync.Mutex
	fill []byte
	more chan struct{} // has a token while there is something
}

func newPipe() *pipe { return &pipe{more: make(chan struct{}, 1)} }

// offer adds an item; false: there is no room.
func (p *pipe) offer(item []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.fill)+len(item) > pipeSize {
		return false
	}
	p.fill = append(p.fill, item...)
	if len(p.fill) == len(item) {
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
	return true
}

// take returns all that is there, in exchange for memory that is not needed any more.
func (p *pipe) take(spare []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.fill
	p.fill = spare[:0]
	return all
}
