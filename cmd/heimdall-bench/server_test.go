package main

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// testServer is a trivial DNS server on loopback that answers h%d.example with
// 10.0.0.0 + number, and random names with NXDOMAIN. A test spoils its replies.
type testServer struct {
	addr    string
	queries atomic.Uint64
	spoil   func(n uint64, reply []byte) []byte // nil: right replies; returning nil: none
	closeAt uint64                              // TCP: hang up at this query; 0: never
}

// startUDP serves until the test ends.
func startUDP(t *testing.T, network, addr string, spoil func(n uint64, reply []byte) []byte) *testServer {
	t.Helper()
	c, err := net.ListenPacket(network, addr)
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	t.Cleanup(func() { c.Close() })
	s := &testServer{addr: c.LocalAddr().String(), spoil: spoil}
	go func() {
		var buf [2048]byte
		for {
			n, peer, err := c.ReadFrom(buf[:])
			if err != nil {
				return
			}
			if reply := s.answer(buf[:n]); reply != nil {
				_, _ = c.WriteTo(reply, peer)
			}
		}
	}()
	return s
}

// startTCP serves until the test ends. Every two replies change places.
func startTCP(t *testing.T, closeAt uint64) *testServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &testServer{addr: l.Addr().String(), closeAt: closeAt}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serveTCP(c)
		}
	}()
	return s
}

func (s *testServer) serveTCP(c net.Conn) {
	defer c.Close()
	var held []byte
	for {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := s.answer(query)
		framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
		if s.queries.Load() == s.closeAt {
			return
		}
		if held == nil {
			held = framed
			continue
		}
		if _, err := c.Write(append(framed, held...)); err != nil {
			return
		}
		held = nil
	}
}

// answer builds the reply to query in the most pedestrian way.
func (s *testServer) answer(query []byte) []byte {
	n := s.queries.Add(1)
	if len(query) < 12 || query[2]&0x80 != 0 {
		return nil
	}
	labels, end := []string{}, 12
	for end < len(query) && query[end] > 0 && query[end] < 64 {
		next := end + 1 + int(query[end])
		if next > len(query) {
			break
		}
		labels = append(labels, string(query[end+1:next]))
		end = next
	}
	if end += 5; end > len(query) || len(labels) == 0 {
		return append(append([]byte{}, query[0], query[1], 0x80, 1), make([]byte, 8)...) // FORMERR
	}
	reply := append([]byte{}, query[:end]...)
	reply[2], reply[3] = query[2]|0x80, 0x80
	copy(reply[6:12], make([]byte, 6))
	if number, err := strconv.Atoi(strings.TrimPrefix(labels[0], "h")); err == nil {
		a := netip.AddrFrom4([4]byte{10, byte(number >> 16), byte(number >> 8), byte(number)})
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4)
		reply = append(reply, a.AsSlice()...)
	} else {
		reply[3] |= 3
	}
	if s.spoil != nil {
		return s.spoil(n, reply)
	}
	return reply
}
