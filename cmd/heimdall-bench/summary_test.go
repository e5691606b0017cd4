package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
)

// rounds makes one round of a server for each value of best.
func rounds(server string, disturbed bool, best ...float64) (all []*Round) {
	for i, v := range best {
		all = append(all, &Round{Round: i + 1, Server: server, Noisy: disturbed, Values: map[string]float64{"best": v}})
	}
	return all
}

func TestSummarize(t *testing.T) {
	targets := []*target{{name: "a"}, {name: "b"}, {name: "c"}, {name: "d"}}
	all := append(rounds("a", false, 100, 300, 200), rounds("b", false, 100, 120)...)
	all = append(all, rounds("a", true, 9999)...)
	all = append(all, rounds("c", true, 50)...)
	s := summarize(targets, all, []column{{key: "best"}, {key: "absent"}})
	near := func(got, want float64) bool { return math.Abs(got-want) < 1e-9 }
	if f := s[0].Figures["best"]; f.Median != 200 || !near(f.Spread, 0.5) || f.Ratio != 0 || f.Rounds != 3 || s[0].Noisy {
		t.Errorf("a: %+v; the noisy round must not count", s[0])
	}
	if f := s[1].Figures["best"]; f.Median != 110 || !near(f.Spread, 10.0/110) || !near(f.Ratio, 0.55) {
		t.Errorf("b: %+v", s[1])
	}
	if f := s[2].Figures["best"]; f.Median != 50 || !s[2].Noisy {
		t.Errorf("c: %+v; want the noisy round, and a mark", s[2])
	}
	if len(s[3].Figures) != 0 || len(s[0].Figures) != 1 {
		t.Errorf("figures from nowhere: %+v", s[3])
	}
}

func TestTable(t *testing.T) {
	o := &options{search: true, maxLoss: 0.01, loads: []float64{50}, scenario: &scenarios[0], sockets: 4, threads: 1, duration: 2 * time.Second, rounds: 2}
	cols := columns(o)
	r := &Report{
		Machine:  Machine{CPU: "Test CPU", CPUs: 2, MemoryBytes: 1 << 30, Virtual: true, Kernel: "6.1", Governor: "performance", Go: "go1.26", Date: time.Unix(0, 0).UTC()},
		Workload: o.workload(&pattern{n: 1000}), Watchful: true,
		Rounds: []*Round{
			{Round: 1, Server: "heimdall", Values: map[string]float64{"overload": 400000, "best": 380000, "cpu_us": 2.5, "pss_mib": 20, "wrong": 0, "p50@50": 40, "p99@50": 90, "p999@50": 200}},
			{Round: 1, Server: "other", Limited: true, Noisy: true, Values: map[string]float64{"overload": 200000, "best": 192000, "cpu_us": 5, "wrong": 3},
				Measurements: []*Measurement{{Name: "search", Queries: &Result{Wrong: 3, FirstWrong: "wrong_address: 00"}}}},
			{Round: 2, Server: "heimdall", Values: map[string]float64{"best": 420000}},
		},
	}
	r.Summary = summarize([]*target{{name: "heimdall"}, {name: "other"}}, r.Rounds, cols)
	var b bytes.Buffer
	r.writeTable(&b, cols)
	want := `Test CPU, 2 CPUs, virtual, 1024 MiB, Linux 6.1, governor performance, go1.26, 1970-01-01 00:00 UTC
cached: 1000 names, UDP, at least 4 sockets, 1 threads, searching up to 1% loss, 2s each, median of 2 rounds

    server    overload/s   <=1% loss/s  P50@50 us  P99@50 us  P99.9@50 us      cpu us  PSS MiB  wrong
  heimdall        400000   400000 +-5%         40         90          200        2.50     20.0      0
     other  200000 0.50x  192000 0.48x          -          -            -  5.00 2.00x        -      3
other: other processes took more than 3% of the CPUs in every round; these figures are worth little
other: the generator could not send as fast as asked; with -threads and more CPUs the server may do better
other, round 1, search: 3 wrong, the first wrong reply was wrong_address: 00
`
	if b.String() != want {
		t.Errorf("table:\n%s\nwant:\n%s", b.String(), want)
	}
}

// TestVerdict: the gate closes on a wrong reply and on silence, and is open
// otherwise; what came late to a warm-up does not close it.
func TestVerdict(t *testing.T) {
	round := func(good, wrong uint64, name string) *Round {
		r := &Round{Server: "a", Values: map[string]float64{}}
		r.add(&Measurement{Name: "rate", Queries: &Result{Good: 1}})
		r.Measurements[0].Queries.Good = good
		r.add(&Measurement{Name: name, Queries: &Result{Wrong: wrong}})
		return r
	}
	for _, tt := range []struct {
		round *Round
		text  string
	}{
		{round(1, 0, "rate"), ""},
		{round(1, 5, warmUp), ""},
		{round(1, 5, "rate"), "5 replies were wrong"},
		{round(0, 0, "rate"), "no query had a good reply"},
	} {
		err := (&Report{Rounds: []*Round{tt.round}}).verdict()
		if (err != nil) != (tt.text != "") || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("verdict %v, want %q", err, tt.text)
		}
	}
}
