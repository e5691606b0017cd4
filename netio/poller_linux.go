package netio

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// maxEvents is how many events one system call fetches. A longer slice given to
// Wait gains nothing; what is left is reported by the next call.
const maxEvents = 128

// Poller tells a shard which of its descriptors have work, through epoll(7).
// Not safe for concurrent use but for Wake; owned by one shard.
type Poller struct {
	epfd   int
	wakefd int

	// wakeSent is 1 from the first Wake until Wait has reported it: one wake-up
	// in flight is enough, because the owner looks at everything after it.
	wakeSent atomic.Uint32

	closing sync.Mutex // between Wake and Close
	closed  bool

	// noPwait2 is set once the kernel has said it has no epoll_pwait2 (below 5.11).
	noPwait2 bool

	raw [maxEvents]unix.EpollEvent
}

// NewPoller returns a poller that watches nothing but its own Wake.
func NewPoller() (*Poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epfd)
		return nil, fmt.Errorf("create eventfd: %w", err)
	}
	p := &Poller{epfd: epfd, wakefd: wakefd}
	// Edge-triggered: each write is one event and the counter is never read.
	if err := p.Add(wakefd, Readable|EdgeTriggered, Token(KindWake, 0)); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Add watches fd for events; Wait reports it as token. The descriptor leaves the
// poller by Del or when it is closed.
func (p *Poller) Add(fd int, events uint32, token uint64) error {
	return p.control("add", unix.EPOLL_CTL_ADD, fd, events, token)
}

// Mod changes what fd is watched for and its token.
func (p *Poller) Mod(fd int, events uint32, token uint64) error {
	return p.control("modify", unix.EPOLL_CTL_MOD, fd, events, token)
}

// Del stops watching fd. Events already fetched by Wait may still name it.
func (p *Poller) Del(fd int) error {
	return p.control("delete", unix.EPOLL_CTL_DEL, fd, 0, 0)
}

func (p *Poller) control(step string, op, fd int, events uint32, token uint64) error {
	// The kernel's 64-bit user data is the pair (Fd, Pad) on every architecture.
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(token)), Pad: int32(uint32(token >> 32))}
	if err := unix.EpollCtl(p.epfd, op, fd, &ev); err != nil {
		return fmt.Errorf("epoll: %s descriptor %d: %w", step, fd, err)
	}
	return nil
}

// Wait fills events with what is ready and returns how many. A timeout of zero
// never blocks; a negative one blocks until there is an event. It may return 0
// early when a signal comes. It does not allocate.
//
// Waiting goes through the normal system call path, which gives up the Go
// scheduler's P: a thread asleep in a raw call would hold up the garbage
// collector. Looking goes through a raw call, which does not.
func (p *Poller) Wait(events []Event, timeout time.Duration) int {
	room := min(len(events), maxEvents)
	if room == 0 {
		return 0
	}
	n := p.wait(room, timeout)
	for i := range n {
		raw := &p.raw[i]
		token := uint64(uint32(raw.Pad))<<32 | uint64(uint32(raw.Fd))
		if token == Token(KindWake, 0) {
			// Cleared before the owner looks at its mailbox, so that what arrives
			// during the look wakes it again.
			p.wakeSent.Store(0)
		}
		events[i] = Event{Token: token, Ready: raw.Events}
	}
	return n
}

// Wake makes the owner's present or next Wait return with an event of KindWake.
// Calls before that Wait are merged into one. Safe for concurrent use; after
// Close it does nothing.
func (p *Poller) Wake() {
	if p.wakeSent.Swap(1) != 0 {
		return
	}
	// Once closed, the descriptor's number may be another file's.
	p.closing.Lock()
	defer p.closing.Unlock()
	if !p.closed {
		p.signal()
	}
}

// Close releases the poller's own descriptors, not those it watches.
func (p *Poller) Close() error {
	p.closing.Lock()
	defer p.closing.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	err := unix.Close(p.wakefd)
	if e := unix.Close(p.epfd); err == nil {
		err = e
	}
	return err
}
