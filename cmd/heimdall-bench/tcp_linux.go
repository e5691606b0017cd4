package main

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

const (
	// maxQueued is how many octets wait for a server that does not read, at most.
	maxQueued = 256 << 10
	// redialAfter is the pause before a lost connection is opened again, in ns.
	redialAfter = 20e6
)

// tcpConn is a connection on which queries are pipelined (RFC 7766, section
// 6.2.1.1). When the server closes it, it is opened again.
type tcpConn struct {
	local  netip.Addr
	server netip.AddrPort
	fd     int   // -1: closed
	again  int64 // when closed: when to dial
	queued int   // messages since the last flush
	out    []byte
	sent   int // octets of out that the kernel has
	in     []byte
	have   int // octets of in that have come
	used   int // octets of in that were handed out
	views  [][]byte
}

func dialTCP(local netip.Addr, server netip.AddrPort) (conn, error) {
	fd, err := openSocket(unix.SOCK_STREAM, local, server)
	if err != nil {
		return nil, err
	}
	return &tcpConn{local: local, server: server, fd: fd, in: make([]byte, 128<<10)}, nil
}

func (c *tcpConn) queue(msg []byte) bool {
	if c.fd < 0 || len(c.out)-c.sent+2+len(msg) > maxQueued {
		return false
	}
	c.out = binary.BigEndian.AppendUint16(c.out, uint16(len(msg)))
	c.out = append(c.out, msg...)
	c.queued++
	return true
}

func (c *tcpConn) flush() int {
	n := c.queued
	c.queued = 0
	c.push()
	return n
}

// push writes what the kernel takes. An error shows again when reading.
func (c *tcpConn) push() {
	if c.fd < 0 || c.sent == len(c.out) {
		return
	}
	if n, err := unix.Write(c.fd, c.out[c.sent:]); err == nil {
		c.sent += n
	}
	if c.sent == len(c.out) || c.sent > maxQueued/2 {
		c.out = c.out[:copy(c.out, c.out[c.sent:])]
		c.sent = 0
	}
}

func (c *tcpConn) receive(now int64) ([][]byte, bool) {
	if c.fd < 0 {
		c.redial(now)
		return nil, false
	}
	c.push()
	c.have = copy(c.in, c.in[c.used:c.have])
	c.used = 0
	n, err := unix.Read(c.fd, c.in[c.have:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil, false
	case err != nil || n == 0:
		c.hangUp(now)
		return nil, true
	}
	c.have += n
	c.views, c.used = split(c.views[:0], c.in[:c.have])
	return c.views, false
}

// split appends the whole messages at the start of a stream to msgs, without
// their lengths, and returns how many octets they took.
func split(msgs [][]byte, in []byte) ([][]byte, int) {
	used := 0
	for used+2 <= len(in) {
		end := used + 2 + int(binary.BigEndian.Uint16(in[used:]))
		if end > len(in) {
			break
		}
		msgs = append(msgs, in[used+2:end])
		used = end
	}
	return msgs, used
}

func (c *tcpConn) hangUp(now int64) {
	c.close()
	c.again = now + redialAfter
	c.out, c.sent, c.have, c.used, c.queued = c.out[:0], 0, 0, 0, 0
}

func (c *tcpConn) redial(now int64) {
	if now < c.again {
		return
	}
	fd, err := openSocket(unix.SOCK_STREAM, c.local, c.server)
	if err != nil {
		c.again = now + redialAfter
		return
	}
	c.fd = fd
}

func (c *tcpConn) arrived(int) int64 { return 0 }

func (c *tcpConn) close() {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}
