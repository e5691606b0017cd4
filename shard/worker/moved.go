package worker

import (
	"sync"
	"time"

	"heimdall/netio/tcp"
	"heimdall/shard"
)

// moved are streams of clients on their way from the shard of another worker. They are kept here until the shard has
// taken them, so that one that is being started again loses none. Safe for concurrent use.
type moved struct {
	mu     sync.Mutex
	list   []tcp.Moved
	closed bool
}

// put adds a stream. It returns whether the shard must be woken to look.
func (m *moved) put(stream tcp.Moved) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		stream.Close()
		return false
	}
	m.list = append(m.list, stream)
	return len(m.list) == 1
}

// take gives the shard the streams. It runs on the shard's thread.
func (m *moved) take(sh *shard.Shard) {
	m.mu.Lock()
	list := m.list
	m.list = nil
	m.mu.Unlock()
	for _, stream := range list {
		sh.Adopt(stream)
	}
}

// close gives up what nobody has taken, and what comes later.
func (m *moved) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, stream := range m.list {
		stream.Close()
	}
	m.list, m.closed = nil, true
}

// Adopt gives the worker's shard a stream of another one.
func (w *Worker) Adopt(stream tcp.Moved) {
	if w.moved.put(stream) {
		w.tellMoved()
	}
}

// Take gives the shard the streams that have come for it while it started. It runs on the shard's thread.
func (w *Worker) Take(sh *shard.Shard) { w.moved.take(sh) }

// askAgain is how long a shard is left alone whose mailbox is full.
const askAgain = 5 * time.Millisecond

func (w *Worker) tellMoved() {
	sh := w.current.Load()
	if sh.State() == shard.Stopped {
		return // the next one looks by itself
	}
	if !sh.Post(func() { w.moved.take(sh) }) {
		time.AfterFunc(askAgain, w.tellMoved)
	}
}
