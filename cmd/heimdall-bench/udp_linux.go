package main

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// udpConn is a connected UDP socket: the kernel drops what comes from another
// address than the server's.
type udpConn struct {
	fd     int
	out    *mmsgs // shared by all sockets of a thread, one after the other
	in     *mmsgs
	queued int
}

// udpDialer returns a dialer whose sockets share their buffers, for one thread. Stamped has the kernel note when each
// datagram arrives (SO_TIMESTAMPNS).
func udpDialer(stamped bool) dialer {
	out, in := newMmsgs(maxPacket), newMmsgs(4096)
	in.stamped = stamped
	return func(local netip.Addr, server netip.AddrPort) (conn, error) {
		fd, err := openSocket(unix.SOCK_DGRAM, local, server)
		if err != nil {
			return nil, err
		}
		if stamped {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
				unix.Close(fd)
				return nil, fmt.Errorf("set SO_TIMESTAMPNS: %w", err)
			}
		}
		return &udpConn{fd: fd, out: out, in: in}, nil
	}
}

func (c *udpConn) queue(msg []byte) bool {
	if c.queued == batch {
		return false
	}
	c.out.set(c.queued, msg)
	c.queued++
	return true
}

func (c *udpConn) flush() int {
	want := c.queued
	c.queued = 0
	if want == 0 {
		return 0
	}
	n, errno := c.out.send(c.fd, want)
	switch errno {
	case 0, unix.EAGAIN, unix.ENOBUFS:
		return n
	}
	// The error is of an earlier datagram, such as ECONNREFUSED when nobody listens,
	// and is now gone. These ones are lost, as they would have been.
	return want
}

func (c *udpConn) receive(int64) ([][]byte, bool) {
	msgs, _ := c.in.receive(c.fd)
	return msgs, false
}

func (c *udpConn) arrived(i int) int64 { return c.in.arrived(i) }

func (c *udpConn) close() { unix.Close(c.fd) }
