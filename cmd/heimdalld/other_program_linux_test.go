package main

import (
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/netio/vethtest"
)

// otherProgram attaches a program that passes everything to the server's interface.
func (v *veth) otherProgram(t *testing.T, flags link.XDPAttachFlags) (l link.Link, err error) {
	t.Helper()
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 2), asm.Return()}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	vethtest.Within(t, v.server, func() {
		var nic *net.Interface
		if nic, err = net.InterfaceByName(vethServer); err == nil {
			l, err = link.AttachXDP(link.XDPOptions{Program: p, Interface: nic.Index, Flags: flags})
		}
	})
	return l, err
}

// asked asks each tier for something it answers, and returns by which it was.
func (w *xskLab) asked(t *testing.T, s tierSetup, last *tierCounts) tierCounts {
	t.Helper()
	return w.since(t, s, last, func() {
		for i := range tierQueries {
			w.query(t, []string{vethIPv4, vethIPv6}[i%2], question("www.zone.", dns.TypeA))
			w.query(t, vethIPv4, question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
		}
	})
}

// Where another program is attached, in whichever mode, the daemon says so in one line and serves through kernel sockets.
func TestRootAfterAnotherProgram(t *testing.T) {
	w := newXSKLab(t, 2)
	for _, x := range []struct {
		mode  string
		flags link.XDPAttachFlags
	}{{"auto", link.XDPDriverMode}, {"native", link.XDPGenericMode}, {"generic", link.XDPDriverMode}} {
		if *cards != "" && x.mode != "auto" {
			continue // it is the kernel that refuses, not the driver
		}
		other, err := w.otherProgram(t, x.flags)
		if err != nil {
			t.Fatal(err)
		}
		w.serve(t, "[cpu]\nshards = 2\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \""+x.mode+"\"")
		s := tierSetup{"off", "mmsg", "flow"}
		counts := w.tiers(t, s)
		if got := w.asked(t, s, &counts); got.shards() < 2*tierQueries {
			t.Errorf("xdp.mode %q: %v", x.mode, got)
		}
		var status control.Status
		w.ctlJSON(&status, "status")
		if len(status.Warnings) != 1 || !strings.Contains(status.Warnings[0], "another XDP program is attached") || strings.Contains(status.Warnings[0], "\n") {
			t.Errorf("xdp.mode %q: warnings %q", x.mode, status.Warnings)
		}
		t.Logf("xdp.mode %q: %q", x.mode, status.Warnings)
		w.stop(syscall.SIGTERM)
		other.Close()
	}
}

// Nobody else's program comes beside or in place of the daemon's. Who takes that off leaves the kernel sockets, and is heard of.
func TestRootBeforeAnotherProgram(t *testing.T) {
	w := newXSKLab(t, 2)
	w.serve(t, "[cpu]\nshards = 2\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"")
	s := tierSetup{"native", "xsk", "flow"}
	counts := w.tiers(t, s)
	for _, flags := range []link.XDPAttachFlags{link.XDPDriverMode, link.XDPGenericMode} {
		if other, err := w.otherProgram(t, flags); err == nil {
			other.Close()
			t.Error("the kernel takes another program")
		}
	}
	if got := w.asked(t, s, &counts); got.kernel < tierQueries || got.raw < tierQueries {
		t.Errorf("after another program was refused: %v", got)
	}
	w.takeOff(t)
	until(t, "the daemon to say so", func() bool { return strings.Contains(w.log.String(), "the XDP program was taken off") })
	other, err := w.otherProgram(t, link.XDPDriverMode)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if got := w.asked(t, s, &counts); got.kernel+got.raw > 0 || got.shards() < 2*tierQueries {
		t.Errorf("without the program: %v", got)
	}
	if i := w.xdp().Interfaces[0]; !i.Detached || strings.Count(w.log.String(), "taken off") != 1 {
		t.Errorf("%+v, and the log says %s", i, w.log)
	}
}

// takeOff takes the daemon's program off the server's interface, as root may.
func (v *veth) takeOff(t *testing.T) {
	t.Helper()
	index := 0
	vethtest.Within(t, v.server, func() {
		if nic, err := net.InterfaceByName(vethServer); err == nil {
			index = nic.Index
		}
	})
	var all link.Iterator
	defer all.Close()
	for all.Next() {
		info, err := all.Link.Info()
		if err != nil {
			t.Fatal(err)
		}
		x := info.XDP()
		if x == nil || int(x.Ifindex) != index {
			continue
		}
		p, err := ebpf.NewProgramFromID(info.Program)
		if err != nil {
			t.Fatal(err)
		}
		about, err := p.Info()
		p.Close()
		if err != nil {
			t.Fatal(err)
		}
		if about.Name == "heimdall" && v.program(t) == strconv.Itoa(int(info.Program)) {
			if err := all.Link.Detach(); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the program is not found: %v", all.Err())
}
