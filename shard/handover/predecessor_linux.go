package handover

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/core/dname"
	"heimdall/netio/tcp"
)

// Predecessor is the process whose place this one takes. A nil Predecessor is none: all its steps are done at once. Its methods
// are called in the order in which they stand here.
type Predecessor struct {
	conn  *conn
	given *Given
	gone  bool // it has ended early: this process goes on alone
}

// ErrAborted: the old process serves on, and wants this one to end.
var ErrAborted = errors.New("the process that was to be replaced goes on serving")

// answerWithin bounds the wait for the old process. One that takes longer is stuck: this process goes on as if it had ended.
const answerWithin = time.Minute

// FromPredecessor returns the process that has had this one started to take its place, and what it gives; nil: there is none.
func FromPredecessor(version string) (*Predecessor, *Given, error) {
	if os.Getenv(predecessorEnv) == "" {
		return nil, nil, nil
	}
	os.Unsetenv(predecessorEnv)
	c, err := newConn(predecessorFD)
	if err != nil {
		return nil, nil, fmt.Errorf("take over: %w", err)
	}
	g := new(Given)
	p := &Predecessor{conn: c, given: g}
	p.gone = c.send(message{Kind: kindHello, Format: format, Version: version}, -1) != nil
	for !p.gone {
		m, fd, err := p.next()
		switch {
		case err != nil:
			g.Close()
			return nil, nil, err
		case m.Kind == kindOffered:
			g.Seed, g.Stored = m.Seed, m.Stored
			return p, g, nil
		case m.Kind == kindNegative:
			if zone, ok := dname.Parse(m.Name); ok && len(g.negative) < maxNegative {
				g.negative = append(g.negative, zone)
			}
			if fd >= 0 {
				unix.Close(fd)
			}
		case m.Kind == kindItem && m.Item != nil && fd >= 0:
			g.add(*m.Item, fd)
		case fd >= 0:
			unix.Close(fd)
		}
	}
	return p, g, nil
}

// next receives a message. When the old process has ended, gone is set and there is none.
func (p *Predecessor) next() (m message, fd int, err error) {
	m, fd, err = p.conn.receive(time.Now().Add(answerWithin))
	if err != nil {
		p.gone = true
		return message{}, -1, nil
	}
	if m.Kind == kindAbort {
		return m, fd, ErrAborted
	}
	return m, fd, nil
}

// step sends a message and waits for the answer to it.
func (p *Predecessor) step(m message, answer string) (got message, err error) {
	if p == nil || p.gone {
		return got, nil
	}
	if err := p.conn.send(m, -1); err != nil {
		p.gone = true
		return got, nil
	}
	for {
		got, fd, err := p.next()
		switch {
		case err == nil && got.Kind == kindItem && got.Item != nil && fd >= 0:
			p.given.add(*got.Item, fd)
		case fd >= 0:
			unix.Close(fd)
		}
		if err != nil || p.gone || got.Kind == answer {
			return got, err
		}
	}
}

// Failed tells the old process why this one does not take its place.
func (p *Predecessor) Failed(err error) {
	if p != nil && !p.gone {
		p.conn.send(message{Kind: kindFailed, Error: err.Error()}, -1)
	}
}

// Ready says that all is made that can fail before this process serves. It returns when it may serve. Given may have more then.
func (p *Predecessor) Ready() error {
	_, err := p.step(message{Kind: kindReady}, kindGo)
	return err
}

// Serving says that so many shards serve. When it returns, this process is the daemon; stale tells whether what came of the old
// one's caches is to be flushed.
func (p *Predecessor) Serving(shards int) (stale bool, err error) {
	m, err := p.step(message{Kind: kindServing, Shards: shards}, kindYours)
	return m.Stale, err
}

// Streams gives the clients' connections to a function as they come, and returns when the old process has ended.
func (p *Predecessor) Streams(adopt func(shard int, m tcp.Moved)) {
	if p == nil {
		return
	}
	defer p.conn.Close()
	for !p.gone {
		m, fd, err := p.conn.receive(time.Time{})
		switch {
		case err != nil:
			return
		case m.Kind == kindStream && m.Stream != nil && fd >= 0:
			adopt(m.Stream.Shard, m.Stream.moved(fd))
		case fd >= 0:
			unix.Close(fd)
		}
	}
}
