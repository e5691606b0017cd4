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
	called  bool // wake, since the queue was last emptied
	limit   int
	wake    func()
}

// New makes a mailbox that holds at most limit commands. wake is called once for all commands that the receiver
// finds at once, from a sender's goroutine; it must make a sleeping receiver look.
func New(limit int, wake func()) *Mailbox { return &Mailbox{limit: limit, wake: wake} }

// Post hands over a command. It returns false, and does nothing, when the mailbox is full. Safe for
// concurrent use.
func (m *Mailbox) Post(command func()) bool {
	if !m.Put(command) {
		return false
	}
	m.Wake()
	return true
}

// Put is Post for a sender that has more to come: nobody is woken for it until Wake or Post is called. Safe for
// concurrent use.
func (m *Mailbox) Put(command func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.queue)
	if n >= m.limit {
		return false
	}
	m.queue = append(m.queue, command)
	m.waiting.Store(int32(n + 1))
	return true
}

// Wake wakes the receiver if there are commands that it has not been woken for. Safe for concurrent use.
func (m *Mailbox) Wake() {
	m.mu.Lock()
	needed := len(m.queue) > 0 && !m.called
	m.called = m.called || needed
	m.mu.Unlock()
	if needed {
		m.wake()
	}
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
	m.called = false
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
