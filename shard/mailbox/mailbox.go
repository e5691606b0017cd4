// Package mailbox carries commands from other goroutines to the thread of a shard.
package mailbox

import (
	"sync"
	"sync/atomic"
)

// Mailbox is a bounded queue of commands with many senders and one receiver. A command is a function that
// the receiving shard calls on its own thread, where it may touch all that the shard owns. An empty mailbox
// costs its receiver one atomic load.
type Mailbox struct {
	waiting atomic.Int32
	mu      sync.Mutex
	queue   []func()
	spare   []func()
	limit   int
	wake    func()
}

// New makes a mailbox that holds at most limit commands. wake is called after a command has been put into
// an empty mailbox, from the sender's goroutine; it must make a sleeping receiver look.
func New(limit int, wake func()) *Mailbox { return &Mailbox{limit: limit, wake: wake} }

// Post hands over a command. It returns false, and does nothing, when the mailbox is full. Safe for
// concurrent use.
func (m *Mailbox) Post(command func()) bool {
	m.mu.Lock()
	n := len(m.queue)
	if n >= m.limit {
		m.mu.Unlock()
		return false
	}
	m.queue = append(m.queue, command)
	m.waiting.Store(int32(n + 1))
	m.mu.Unlock()
	if n == 0 {
		m.wake()
	}
	return true
}

// Run calls what has been posted, in order, and returns the number. Only the receiver may call it.
func (m *Mailbox) Run() int {
	if m.waiting.Load() == 0 {
		return 0
	}
	m.mu.Lock()
	batch := m.queue
	m.queue, m.spare = m.spare[:0], nil
	m.waiting.Store(0)
	m.mu.Unlock()
	for i, command := range batch {
		batch[i] = nil
		command()
	}
	m.mu.Lock()
	m.spare = batch[:0]
	m.mu.Unlock()
	return len(batch)
}
