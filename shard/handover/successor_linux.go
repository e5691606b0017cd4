package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/core/dname"
	"heimdall/netio/tcp"
)

// Successor is the process that shall take this one's place. Its methods are called in the order in which they stand here.
type Successor struct {
	PID     int
	Version string // from Offer on
	Shards  int    // from Serving on

	launcher *Launcher
	conn     *conn
	end      string     // how the process has ended; empty: it has not, as far as is known
	sending  sync.Mutex // of streams, which come from all shards
}

// Offer gives the new process descriptors, which stay the caller's, the seed of the steering, what the service manager's store
// has, and the negative trust anchors that operators have added.
func (s *Successor) Offer(ctx context.Context, items []Item, seed []byte, stored *Store, negative []dname.Name) error {
	hello, err := s.expect(ctx, kindHello)
	if err != nil {
		return err
	}
	if hello.Format != format {
		return fmt.Errorf("version %s takes over by other rules than this one hands over: restart instead", hello.Version)
	}
	s.Version = hello.Version
	for _, it := range items {
		if err := s.send(message{Kind: kindItem, Item: &it}, it.FD); err != nil {
			return err
		}
	}
	for _, zone := range negative {
		if err := s.send(message{Kind: kindNegative, Name: zone}, -1); err != nil {
			return err
		}
	}
	m := message{Kind: kindOffered, Seed: seed}
	if stored != nil {
		m.Stored = stored.names
	}
	return s.send(m, -1)
}

// Ready returns when the new process has made all that can fail before it serves.
func (s *Successor) Ready(ctx context.Context) error {
	_, err := s.expect(ctx, kindReady)
	return err
}

// Give gives the new process one more descriptor, which stays the caller's.
func (s *Successor) Give(it Item) error { return s.send(message{Kind: kindItem, Item: &it}, it.FD) }

// Serve has the new process serve, and returns when it does.
func (s *Successor) Serve(ctx context.Context) error {
	if err := s.send(message{Kind: kindGo}, -1); err != nil {
		return err
	}
	m, err := s.expect(ctx, kindServing)
	s.Shards = m.Shards
	return err
}

// Yours tells the new process that it is the daemon from now on, and whether what it has in its caches is to be flushed.
func (s *Successor) Yours(stale bool) { s.conn.send(message{Kind: kindYours, Stale: stale}, -1) }

// Stream hands a client's connection of a shard over, and closes it here. Safe for concurrent use.
func (s *Successor) Stream(shard int, m tcp.Moved) {
	defer m.Close()
	fd, peer, held := m.Parts()
	s.sending.Lock()
	defer s.sending.Unlock()
	s.conn.send(message{Kind: kindStream, Stream: &Stream{Shard: shard, Peer: peer, Held: held}}, fd)
}

// Close ends the conversation.
func (s *Successor) Close() { s.conn.Close() }

// Abort kills the new process, and returns when it has ended.
func (s *Successor) Abort() {
	s.conn.send(message{Kind: kindAbort}, -1)
	s.conn.Close()
	if s.launcher.conn.send(message{Kind: kindKill}, -1) == nil {
		s.ended()
	}
}

// killWithin bounds the wait for the end of a process that was killed.
const killWithin = 10 * time.Second

// ended waits for the end of the process, and returns how it came.
func (s *Successor) ended() (how string, known bool) {
	if s.end != "" {
		return s.end, true
	}
	timeout := time.After(killWithin)
	for {
		select {
		case m, ok := <-s.launcher.said:
			if !ok {
				return "", false
			}
			if m.Kind == kindEnded && m.PID == s.PID {
				s.end = m.Error
				return m.Error, true
			}
		case <-timeout:
			return "", false
		}
	}
}

// send is conn.send. When the process is gone, the error tells why.
func (s *Successor) send(m message, fd int) error {
	err := s.conn.send(m, fd)
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		// Its last words may still be there.
		if m, _, e := s.conn.receive(time.Now().Add(time.Second)); e == nil && m.Kind == kindFailed {
			return errors.New(m.Error)
		}
		return s.gone()
	}
	return err
}

// gone says how the process has ended.
func (s *Successor) gone() error {
	if how, known := s.ended(); known {
		return fmt.Errorf("the new process ended before it served (%s); the log of the daemon has what it said", how)
	}
	return errors.New("the new process gave up before it served")
}

// expect waits for a message.
func (s *Successor) expect(ctx context.Context, kind string) (message, error) {
	defer context.AfterFunc(ctx, func() { s.conn.SetReadDeadline(time.Unix(1, 0)) })()
	until, _ := ctx.Deadline()
	m, fd, err := s.conn.receive(until)
	if fd >= 0 {
		unix.Close(fd)
	}
	switch {
	case errors.Is(err, io.EOF):
		return m, s.gone()
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded) && !until.IsZero():
		return m, fmt.Errorf("the new process did not say %q in time", kind)
	case err != nil:
		return m, fmt.Errorf("wait for the new process: %w", err)
	case m.Kind == kindFailed:
		return m, errors.New(m.Error)
	case m.Kind != kind:
		return m, fmt.Errorf("the new process said %q, not %q", m.Kind, kind)
	}
	return m, nil
}
