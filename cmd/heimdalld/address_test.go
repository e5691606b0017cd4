package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// startWith runs the daemon with a whole configuration file, for a port that it is given. The file ends in
// [admin], to which the socket is added. The daemon is asked at 127.0.0.1.
func startWith(t *testing.T, config func(port string) string) *daemon {
	t.Helper()
	for range 5 { // as start does
		d := &daemon{t: t, addr: freePort(t), dir: t.TempDir()}
		d.config, d.socket = filepath.Join(d.dir, "config.toml"), filepath.Join(d.dir, "admin.sock")
		_, port, _ := net.SplitHostPort(d.addr)
		text := config(port) + fmt.Sprintf("\nsocket = %q\n", d.socket)
		if err := os.WriteFile(d.config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		d = d.again()
		serves := false
		until(t, "the daemon to serve", func() bool {
			r, err := exchange(d.addr, chaos("version.bind."), "udp")
			serves = err == nil && len(r.Answer) == 1
			return serves || d.ended()
		})
		if serves {
			return d
		}
		if !strings.Contains(d.log.String(), "address already in use") {
			t.Fatalf("the daemon did not start:\n%s", d.log)
		}
	}
	t.Fatal("the daemon does not find a port")
	return nil
}

// Listening at all addresses of the machine, the daemon answers from the address that it was asked at: a
// connected socket takes nothing else. Hits, misses and errors alike.
func TestRepliesLeaveFromTheAddressAsked(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := startWith(t, func(port string) string {
		return fmt.Sprintf("[server]\nlisten = [\"0.0.0.0:%s\", \"[::]:%s\"]\n[cpu]\nshards = 1\n[recursion]\nvalidation = false\n%s\n[admin]", port, port, forward(".", up))
	})
	_, port, _ := net.SplitHostPort(d.addr)
	hosts := []string{"127.0.0.1", "127.0.0.2", "127.200.3.4", "::1"}
	if c, err := net.ListenPacket("udp", "[::1]:0"); err != nil {
		t.Log("no IPv6 on this machine")
		hosts = hosts[:3]
	} else {
		c.Close()
	}
	for i, host := range hosts {
		addr := net.JoinHostPort(host, port)
		for _, network := range []string{"udp", "tcp"} {
			for _, name := range []string{"cached.example.", fmt.Sprintf("%s%d.example.", network, i)} {
				r, err := exchange(addr, question(name, dns.TypeA), network)
				if err != nil || len(r.Answer) != 1 {
					t.Errorf("%s at %s over %s: %v, %v", name, addr, network, r, err)
				}
			}
		}
		if r, err := exchange(addr, chaos("nothing."), "udp"); err != nil || r.Rcode != dns.RcodeRefused {
			t.Errorf("an error at %s: %v, %v", addr, r, err)
		}
	}
	unhurt(t, d)
}

// Of several addresses each has its own sockets.
func TestSeveralAddresses(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := startWith(t, func(port string) string {
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\", \"127.0.0.2:%s\"]\n[cpu]\nshards = 2\npin = false\n[recursion]\nvalidation = false\n%s\n[admin]", port, port, forward(".", up))
	})
	_, port, _ := net.SplitHostPort(d.addr)
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		for _, network := range []string{"udp", "tcp"} {
			if r, err := exchange(host+":"+port, question("www.example.", dns.TypeA), network); err != nil || len(r.Answer) != 1 {
				t.Errorf("%s over %s: %v, %v", host, network, r, err)
			}
		}
	}
	c, err := net.Dial("udp", "127.0.0.3:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, _ := chaos("version.bind.").Pack()
	c.Write(raw)
	c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(raw); err == nil {
		t.Errorf("an address that was not configured answers: % x", raw[:n])
	}
}
