package main

import (
	"bytes"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// Queries that the kernel has merged into one packet, as it does where rx-udp-gro-forwarding is on and veth pairs bring from
// senders that segment late, are answered one by one.
func TestRootMergedQueries(t *testing.T) {
	w := newXSKLab(t, 1)
	for _, mode := range []string{"native", "generic"} {
		w.serve(t, "[cpu]\nshards = 1\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \""+mode+"\"")
		w.query(t, vethIPv4, question("www.zone.", dns.TypeA))
		for _, edns := range []bool{false, true} {
			q := question("www.zone.", dns.TypeA)
			if edns {
				q.SetEdns0(1232, false)
			}
			one, err := q.Pack()
			if err != nil {
				t.Fatal(err)
			}
			conn := w.Dial(t, "udp", "", vethIPv4).(*net.UDPConn)
			raw, err := conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, len(one)) })
			if err != nil {
				t.Fatal(err)
			}
			const queries = 8
			if _, err := conn.Write(bytes.Repeat(one, queries)); err != nil {
				t.Fatal(err)
			}
			answered := 0
			conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			for b := make([]byte, 512); answered < queries; answered++ {
				if _, err := conn.Read(b); err != nil {
					break
				}
			}
			if merged := w.exits()["pass_merged"]; answered < queries || (merged > 0) != (mode == "generic") {
				t.Errorf("%s mode, EDNS %v: %d of %d queries are answered: %v", mode, edns, answered, queries, w.exits())
			}
		}
		w.stop(syscall.SIGTERM)
	}
}
