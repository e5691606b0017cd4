package main

import (
	"testing"

	"heimdall/core/control"
)

// An upgrade takes the XDP program over without a packet that passes by it, and answers in the kernel come again. With AF_XDP, whose
// queues one process alone can have, queries come through kernel sockets for the moment between the two.
func TestRootUpgradeWithXDP(t *testing.T) {
	for _, x := range []struct{ name, config, backend string }{
		{"hot answers", "[cpu]\nshards = 2\npin = false\n[io]\nbackend = \"mmsg\"\n[xdp]\nmode = \"native\"\nanswer_min_hits = 1", "kernel sockets"},
		{"AF_XDP", xskConfig("native", "xsk", "2"), "AF_XDP and kernel sockets"},
		{"generic", xskConfig("generic", "xsk", "1"), "AF_XDP and kernel sockets"},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newXSKLab(t, 2)
			w.serve(t, x.config)
			a := newAsker(t, vethIPv4, 20)
			for range 2 {
				a.use(w.Dial(t, "udp", "", vethIPv4))
				a.use(w.Dial(t, "udp", "", vethIPv6))
				a.use(w.Dial(t, "tcp", "", vethIPv4))
			}
			pid := w.cmd.Process.Pid
			for range 3 {
				a.more(2000)
				before := w.program(t)
				u := w.upgrade()
				if after := w.program(t); after == "" || after == before {
					t.Errorf("program %q after %q", after, before)
				}
				until(t, "the end of the old process", func() bool { return gone(pid) })
				pid = u.PID
				if w.program(t) == "" {
					t.Error("the program has gone with the old process")
				}
				a.more(2000)
				var st control.Status
				if w.ctlJSON(&st, "status"); st.PID != u.PID || st.Backend != x.backend || len(st.Warnings) > 0 {
					t.Errorf("process %d, packets by %q, warnings %q", st.PID, st.Backend, st.Warnings)
				}
				if t.Failed() {
					return
				}
			}
			if x.name == "hot answers" {
				until(t, "answers by the kernel", func() bool { return w.exits()["send_answer"] > 0 })
			} else if n := w.received(t); n == 0 {
				t.Error("nothing comes by AF_XDP")
			}
			t.Logf("%d queries answered", a.end())
		})
	}
}
