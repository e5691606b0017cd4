package main

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/netio/netiotest"
	"heimdall/netio/vethtest"
)

// What the kernel sends has a right checksum over IPv4 and IPv6, and never 0, which says that there is none.
func TestRootHotChecksums(t *testing.T) {
	inBothModes(t, func(t *testing.T, l *hotLab) {
		for family, c := range []struct {
			domain, header int
			pseudo         []byte // without the length
		}{
			{unix.AF_INET, 20, append(net.ParseIP("192.0.2.1").To4(), net.ParseIP("192.0.2.2").To4()...)},
			{unix.AF_INET6, 0, append(net.ParseIP("2001:db8::1"), net.ParseIP("2001:db8::2")...)},
		} {
			var raw int
			var err error
			vethtest.Within(t, l.client, func() { raw, err = unix.Socket(c.domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP) })
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(raw)
			unix.SetsockoptTimeval(raw, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(patience / time.Second)})
			// ask returns the checksum of the response to a query with an ID.
			ask := func(id uint16) uint16 {
				t.Helper()
				query := question("www.hot.test.", dns.TypeA)
				query.Id = id
				q, err := query.Pack()
				if err != nil {
					t.Fatal(err)
				}
				before := l.sent()
				l.ask(t, l.outside[family], q)
				if l.sent() == before {
					t.Fatal("the kernel has not answered")
				}
				for {
					buf := make([]byte, 2048)
					n, _, err := unix.Recvfrom(raw, buf, 0)
					if err == unix.EINTR {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					udp := buf[c.header:n]
					if len(udp) < 20 || binary.BigEndian.Uint16(udp) != 53 || binary.BigEndian.Uint16(udp[8:]) != id {
						continue
					}
					if sum := netiotest.Checksum(c.pseudo, []byte{0, 17}, udp[4:6], udp); sum != 0 {
						t.Errorf("the checksum is off by %#04x", sum)
					}
					return binary.BigEndian.Uint16(udp[6:])
				}
			}
			first := ask(0)
			if first == 0 {
				t.Error("no checksum")
			}
			// The ID is a word of the sum: with what is missing to it the sum is full, and its complement 0.
			if got := ask(first); got != 0xffff {
				t.Errorf("checksum %#04x, want 0xffff", got)
			}
		}
	})
}
