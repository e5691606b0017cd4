package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// startWith runs the daemon with a whole configuration file, which listens at addr among others.
func startWith(t *testing.T, addr, text string) *daemon {
	t.Helper()
	d := &daemon{t: t, addr: addr, dir: t.TempDir(), log: new(syncBuffer), exited: make(chan struct{})}
	d.config, d.socket = filepath.Join(d.dir, "config.toml"), filepath.Join(d.dir, "admin.sock")
	text += fmt.Sprintf("\nsocket = %q\n", d.socket) // the file ends in [admin]
	if err := os.WriteFile(d.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	d.cmd = exec.Command(shipped(t, "heimdalld"), "-config", d.config)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.cmd.Wait(); close(d.exited) }()
	t.Cleanup(func() { d.cmd.Process.Kill(); <-d.exited })
	until(t, "the daemon to serve", func() bool {
		select {
		case <-d.exited:
			t.Fatalf("the daemon did not start:\n%s", d.log)
		default:
		}
		r, err := exchange(d.addr, chaos("version.bind."), "udp")
		return err == nil && len(r.Answer) == 1
	})
	return d
}

// Listening at all addresses of the machine, the daemon answers from the address that it was asked at: a
// connected socket takes nothing else. Hits, misses and errors alike.
func TestRepliesLeaveFromTheAddressAsked(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	_, port, _ := net.SplitHostPort(freePort(t))
	d := startWith(t, "127.0.0.1:"+port, fmt.Sprintf("[server]\nlisten = [\"0.0.0.0:%s\", \"[::]:%s\"]\n[cpu]\nshards = 1\n%s\n[admin]", port, port, forward(".", up)))
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
	_, port, _ := net.SplitHostPort(freePort(t))
	text := fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\", \"127.0.0.2:%s\"]\n[cpu]\nshards = 2\npin = false\n%s\n[admin]", port, port, forward(".", up))
	startWith(t, "127.0.0.1:"+port, text)
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
