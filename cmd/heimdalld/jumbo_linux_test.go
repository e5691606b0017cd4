package main

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/netio/vethtest"
)

// With a large MTU, before the daemon starts or after, each tier answers, and frames that the program never sees whole come
// through. Where the driver takes no native program with it, "auto" takes the other mode and says why in one line.
func TestRootJumbo(t *testing.T) {
	w := newXSKLab(t, 4)
	mtu := func(octets string) {
		for name, nic := range map[string]string{w.client: vethClient, w.server: vethServer} {
			if err := vethtest.Change(name, "ip", "link", "set", "dev", nic, "mtu", octets); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, late := range []bool{false, true} {
		mtu("1500")
		if !late {
			mtu("9000")
		}
		w.serve(t, "[cpu]\nshards = 2\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"auto\"")
		if late {
			mtu("9000")
			until(t, "the MTU to be seen", func() bool { return strings.Contains(w.log.String(), "now=9000") })
		}
		mode := w.xdp().Interfaces[0].Mode
		s := tierSetup{"native", "xsk", "flow"}
		counts := w.tiers(t, s)
		got := w.asked(t, s, &counts)
		t.Logf("MTU 9000, set late: %v: %s mode, %v", late, mode, got)
		if got.kernel < tierQueries || got.raw < tierQueries {
			t.Errorf("by the kernel and AF_XDP were to come %d each", tierQueries)
		}
		var status control.Status
		w.ctlJSON(&status, "status")
		if warned := len(status.Warnings) == 1 && strings.Contains(status.Warnings[0], "runs in generic mode") && !strings.Contains(status.Warnings[0], "\n"); warned != (mode == "generic") || len(status.Warnings) > 1 {
			t.Errorf("%s mode, warnings %q", mode, status.Warnings)
		}
		t.Logf("warnings: %q", status.Warnings)
		// A query that is longer than what AF_XDP has for a frame, and frames to others that are longer than what the
		// program sees of them.
		q := question("big3000.zone.", dns.TypeTXT).SetEdns0(4096, false)
		q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_PADDING{Padding: make([]byte, 1900)}}
		if r := w.query(t, vethIPv4, q); len(r.Answer) != 1 {
			t.Error(r)
		}
		if dropped := strings.Contains(w.log.String(), "the driver drops long packets"); dropped {
			t.Log("the driver drops long packets")
			mtu("1500") // it does not let the program go with that MTU
		} else {
			w.echo(t, 8000)
		}
		w.streamTier(t, s, &counts)
		w.stop(syscall.SIGTERM)
	}
}

// echo has another server beside the daemon send back what it gets.
func (v *veth) echo(t *testing.T, octets int) {
	t.Helper()
	var server net.PacketConn
	var err error
	vethtest.Within(t, v.server, func() { server, err = net.ListenPacket("udp", "192.0.2.1:7") })
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for b := make([]byte, 1<<16); ; {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			server.WriteTo(b[:n], from)
		}
	}()
	conn := v.Dial(t, "udp", "", "192.0.2.1:7")
	for range 5 {
		for range 64 { // virtio_net has first to use up the buffers that it had for another mode
			conn.Write(make([]byte, octets))
		}
		conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		if n, err := conn.Read(make([]byte, 1<<16)); err == nil && n == octets {
			return
		}
	}
	t.Errorf("%d octets do not come through", octets)
}
