package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// format is the version of what the two processes tell each other. A process does not hand over to one of another format.
const format = 1

const (
	// longest is the longest message in bytes: a stream with what it holds, which is less than one DNS message, in base64.
	longest = 128 << 10
	// sendWithin bounds the wait for a peer that does not read.
	sendWithin = 10 * time.Second
)

// message is one step. It carries one descriptor at most.
type message struct {
	Kind    string   `json:"kind"`
	Format  int      `json:"format,omitempty"`
	Version string   `json:"version,omitempty"` // of the new binary
	Error   string   `json:"error,omitempty"`   // why it failed, or how it ended
	PID     int      `json:"pid,omitempty"`
	Shards  int      `json:"shards,omitempty"` // how many the new process has
	Seed    []byte   `json:"seed,omitempty"`   // of the steering
	Stored  []string `json:"stored,omitempty"` // by the service manager
	Name    []byte   `json:"name,omitempty"`   // of a zone, in wire form
	Stale   bool     `json:"stale,omitempty"`  // the caches are to be flushed
	Item    *Item    `json:"item,omitempty"`
	Stream  *Stream  `json:"stream,omitempty"`
}

// The kinds of messages.
const (
	kindStart   = "start"   // old to launcher, with the new one's end of the conversation
	kindKill    = "kill"    // old to launcher
	kindStarted = "started" // launcher to old
	kindFailed  = "failed"  // launcher or new to old
	kindEnded   = "ended"   // launcher to old: the new process has ended

	kindHello    = "hello"    // new to old
	kindItem     = "item"     // old to new, with a descriptor
	kindNegative = "negative" // old to new: a negative trust anchor that an operator has added
	kindOffered  = "offered"  // old to new: those were all
	kindReady    = "ready"    // new to old
	kindGo       = "go"       // old to new
	kindServing  = "serving"  // new to old
	kindYours    = "yours"    // old to new
	kindStream   = "stream"   // old to new, with a descriptor
	kindAbort    = "abort"    // old to new
)

// conn is a conversation between two processes, message by message.
type conn struct {
	*net.UnixConn
	buf, oob []byte
}

// pair returns the two ends of a conversation; the second one is for another process.
func pair() (*conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	c, err := newConn(fds[0])
	if err != nil {
		unix.Close(fds[1])
		return nil, nil, err
	}
	return c, os.NewFile(uintptr(fds[1]), "handover"), nil
}

// newConn takes a descriptor over.
func newConn(fd int) (*conn, error) {
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "handover")
	if f == nil {
		return nil, fmt.Errorf("descriptor %d: %w", fd, unix.EBADF)
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d: %w", fd, err)
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("descriptor %d is no Unix socket", fd)
	}
	return &conn{UnixConn: u}, nil
}

// send sends a message, with a descriptor unless that is below 0, which stays the caller's.
func (c *conn) send(m message, fd int) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var oob []byte
	if fd >= 0 {
		oob = unix.UnixRights(fd)
	}
	c.SetWriteDeadline(time.Now().Add(sendWithin))
	if _, _, err := c.WriteMsgUnix(body, oob, nil); err != nil {
		return fmt.Errorf("send %s: %w", m.Kind, err)
	}
	return nil
}

// receive waits for a message until a time; the zero time means for ever. fd is -1, or a descriptor that is the caller's. The
// error is io.EOF when the other process has ended.
func (c *conn) receive(until time.Time) (m message, fd int, err error) {
	if c.buf == nil {
		c.buf, c.oob = make([]byte, longest), make([]byte, unix.CmsgSpace(4))
	}
	c.SetReadDeadline(until)
	n, oobn, flags, _, err := c.ReadMsgUnix(c.buf, c.oob)
	fd = -1
	if messages, e := unix.ParseSocketControlMessage(c.oob[:oobn]); e == nil {
		for i := range messages {
			rights, _ := unix.ParseUnixRights(&messages[i])
			for _, r := range rights {
				if fd >= 0 {
					unix.Close(fd)
				}
				fd = r
			}
		}
	}
	switch {
	case errors.Is(err, unix.ECONNRESET), err == nil && n == 0:
		err = io.EOF
	case err == nil && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = errors.New("a message is too long")
	case err == nil:
		err = json.Unmarshal(c.buf[:n], &m)
	}
	if err != nil && fd >= 0 {
		unix.Close(fd)
		fd = -1
	}
	return m, fd, err
}
