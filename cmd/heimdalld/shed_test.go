package main

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Queries that waited for too long are dropped and counted, and fresh ones are answered.
func TestOldQueriesAreShed(t *testing.T) {
	t.Parallel()
	d := start(t, "[io]\nbatch = 4\nshed_after = \"20ms\"\n"+forward(".", newUpstream(t, answerA)))
	stillRight(t, d, "hot.example.")
	c, err := net.Dial("udp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	flood, err := question("hot.example.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	until(t, "queries to be shed", func() bool {
		// The first of a backlog has the ages measured; those that come then get old while the daemon stands still.
		for range 2 {
			d.cmd.Process.Signal(syscall.SIGSTOP)
			for range 1000 {
				c.Write(flood)
			}
			time.Sleep(40 * time.Millisecond)
			d.cmd.Process.Signal(syscall.SIGCONT)
			for range 200 {
				c.Write(flood)
			}
		}
		return dropped(d)["shed"] > 0
	})
	until(t, "a fresh query to be answered", func() bool {
		r, err := exchange(d.addr, question("hot.example.", dns.TypeA), "udp")
		return err == nil && len(r.Answer) == 1
	})
}
