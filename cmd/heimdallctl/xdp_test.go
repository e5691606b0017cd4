package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"heimdall/core/control"
)

// fakeKernel is a fakeDaemon with tier 0, whose counters go on with each look.
type fakeKernel struct {
	fakeDaemon
	looks uint64
	x     control.XDP
}

func (f *fakeKernel) XDP(context.Context) (*control.XDP, error) {
	f.looks++
	x := f.x
	if len(x.Interfaces) > 0 {
		n := 1000 * f.looks
		x.Answered, x.Dropped, x.Passed, x.Answers = 3*n, n, 2*n, 1234
		x.Exits = []control.XDPExit{{Name: "pass_miss", Packets: 2 * n}, {Name: "drop_name", Packets: n}, {Name: "drop_torn"}, {Name: "send_answer", Packets: 3 * n}}
	}
	return &x, f.err
}

func (f *fakeKernel) Status(ctx context.Context) (*control.Status, error) {
	s, err := f.fakeDaemon.Status(ctx)
	x, _ := f.XDP(ctx)
	x.Exits = nil
	s.XDP = x
	return s, err
}

// The part of fakeDaemon that has no tier 0.
func (d *fakeDaemon) XDP(context.Context) (*control.XDP, error) {
	return &control.XDP{Mode: "off", Interfaces: []control.XDPInterface{}}, d.err
}

func attached() *fakeKernel {
	return &fakeKernel{x: control.XDP{
		Mode: "auto", Interfaces: []control.XDPInterface{{Name: "eth0", Mode: "native"}, {Name: "eth1", Mode: "generic"}}, AnswersMax: 65536, TableBytes: 16 << 20,
		Clients: control.XDPClients{Prefixes: 70_002, Failures: 2, Withheld: true},
		Limit:   control.Limit{QueriesPerSecond: 20000, Burst: 100, Slip: 2, IPv4Prefix: 24, IPv6Prefix: 56, Exempt: 1, Deny: 12, InKernel: true},
	}}
}

func TestXDPOutput(t *testing.T) {
	for _, args := range []string{"xdp", "xdp -json", "status", "top -n 1"} {
		code, out, errOut := runTool(start(t, attached()), strings.Fields(args)...)
		if code != exitOK || errOut != "" {
			t.Fatalf("%s: exit code %d, error output %q", args, code, errOut)
		}
		golden(t, "kernel-"+strings.ReplaceAll(args, " ", ""), out)
	}
}

// A program that does not run is no failure, and is not waited for.
func TestXDPOff(t *testing.T) {
	for mode, want := range map[string]string{"off": `xdp.mode is "off"`, "native": "heimdallctl status says why"} {
		f := &fakeKernel{x: control.XDP{Mode: mode}}
		code, out, _ := runTool(start(t, f), "xdp")
		if code != exitOK || !strings.Contains(out, want) || !strings.Contains(out, "limit       none") || f.looks != 1 {
			t.Errorf("%s: exit code %d, %d looks, output %q", mode, code, f.looks, out)
		}
	}
}

// The rate of a counter that began anew counts from zero.
func TestXDPRates(t *testing.T) {
	prev := &control.XDP{Passed: 500, Dropped: 500}
	now := &control.XDP{Passed: 100, Dropped: 30, Exits: []control.XDPExit{{Name: "pass_miss", Packets: 100}}}
	r := newXDPRates(prev, now, 2)
	if r.Passed != 50 || r.Dropped != 15 || r.Exits["pass_miss"] != 50 {
		got, _ := json.Marshal(r)
		t.Errorf("rates %s", got)
	}
}

func TestXDPUsage(t *testing.T) {
	if code, _, errOut := runTool("/nonexistent", "xdp", "-interval", "1ms"); code != exitUsage || !strings.Contains(errOut, "at least 100ms") {
		t.Errorf("exit code %d, %q", code, errOut)
	}
	if code, _, _ := runTool("/nonexistent", "xdp"); code != exitUnreachable {
		t.Errorf("without a daemon: exit code %d", code)
	}
}
