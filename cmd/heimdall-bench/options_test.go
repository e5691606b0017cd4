package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
)

func TestUsageErrors(t *testing.T) {
	const ok = "-server 127.0.0.1:53 "
	for args, text := range map[string]string{
		"":                     "-server is missing",
		"-server localhost:53": "want an address and a port",
		"-server a=127.0.0.1:53 -server a=[::1]:53": "a name of its own",
		ok + "-pid a":                          "want NAME=PID",
		ok + "-pid a=0":                        "want NAME=PID",
		ok + "status":                          "not a flag",
		ok + "-scenario rain":                  "none of that name",
		ok + "-proto sctp":                     "udp or tcp",
		ok + "-type AA":                        "not an RR type",
		ok + "-loads 50,x":                     "percentages",
		ok + "-loads 150":                      "percentages",
		ok + "-loads NaN":                      "percentages",
		ok + "-rate NaN":                       "rates must be",
		ok + "-rate -1":                        "rates must be",
		ok + "-max-loss 1":                     "-max-loss",
		ok + "-zipf NaN":                       "-zipf",
		ok + "-rounds 0":                       "at least 1",
		ok + "-duration 1ms":                   "at least 10ms",
		ok + "-cpus 3-1":                       "runs backwards",
		ok + "-cpus x":                         "not a number",
		ok + "-address 10":                     "-address",
		ok + "-local x":                        "-local",
		ok + "-scenario flood -search":         "rates are fixed",
		ok + "-scenario cold -rate 5":          "-window",
		ok + "-scenario cold -search":          "-window",
		ok + "-scenario flood -proto tcp":      "about UDP",
		ok + "-attack-zone a..b":               "-attack-zone",
		ok + "-pattern example":                "%d is missing",
		ok + "-names /nonexistent":             "no such file",
		ok + "-count 0":                        "at least one name",
		"-server [::1]:53 -scenario malformed": "-attack-local",
		ok + "-colour":                         "not defined",
	} {
		var out, errOut bytes.Buffer
		if code := run(context.Background(), strings.Fields(args), &out, &errOut); code != exitUsage || out.Len() > 0 || !strings.Contains(errOut.String(), text) {
			t.Errorf("%q: exit code %d, %q; want %d and %q", args, code, errOut.String(), exitUsage, text)
		}
	}
}

func TestHelp(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run(context.Background(), []string{"-help"}, &out, &errOut); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, s := range scenarios {
		if !strings.Contains(errOut.String(), s.name) {
			t.Errorf("the help lacks scenario %s", s.name)
		}
	}
}

func TestOptions(t *testing.T) {
	o, err := parseOptions(strings.Fields("-server a=127.0.0.1:53 -server [::1]:1053 -pid a=7 -pid a=8 -pid upstream=9 -scenario zipf -cpus 1,4-6 -loads 10,50"), new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.targets) != 2 || o.targets[0].name != "a" || !slices.Equal(o.targets[0].pids, []int{7, 8}) || o.targets[1].name != "[::1]:1053" || !slices.Equal(o.helpers, []int{9}) {
		t.Errorf("targets %+v %+v, helpers %v", o.targets[0], o.targets[1], o.helpers)
	}
	if !slices.Equal(o.cpus, []int{1, 4, 5, 6}) || !slices.Equal(o.loads, []float64{10, 50}) || o.rate != 10000 || o.scenario.law != drawZipf {
		t.Errorf("options %+v", o)
	}
}

// TestLines: message IDs do not come around while a reply may still come.
func TestLines(t *testing.T) {
	g := &generator{opt: &options{sockets: 4}}
	for _, tt := range []struct {
		rate    float64
		threads int
		want    int
	}{{1000, 1, 4}, {1e6, 1, 23}, {1e6, 4, 6}, {1000, 4, 1}} {
		if got := g.lines(tt.rate, tt.threads, 1e9); got != tt.want {
			t.Errorf("%.0f/s on %d threads: %d sockets each, want %d", tt.rate, tt.threads, got, tt.want)
		}
	}
}
