package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runBench runs one command line and returns its report. It does so again while
// the generator is late, so the server may see more queries than the report has.
func runBench(t *testing.T, args ...string) (code int, r *Report, errOut string) {
	t.Helper()
	repeatLate(func() *Report {
		code, r, errOut = runOnce(t, args...)
		return r
	})
	return code, r, errOut
}

func runOnce(t *testing.T, args ...string) (code int, r *Report, errOut string) {
	t.Helper()
	var out, e bytes.Buffer
	code = run(context.Background(), append(args, "-json", "-"), &out, &e)
	if out.Len() > 0 {
		r = new(Report)
		if err := json.Unmarshal(out.Bytes(), r); err != nil {
			t.Fatalf("report: %v", err)
		}
	}
	return code, r, e.String()
}

// repeatLate repeats do, a few times at most, while the generator could not send
// half the queries of a measurement: the machine halted for longer than it lasts.
func repeatLate(do func() *Report) {
	for range 10 {
		if r := do(); r == nil || !late(r) {
			return
		}
	}
}

func late(r *Report) bool {
	for _, round := range r.Rounds {
		for _, m := range round.Measurements {
			if m.Name == "search" {
				continue // it tries rates that no generator keeps up with
			}
			for _, q := range []*Result{m.Queries, m.Attack} {
				if q != nil && q.Sent <= q.Skipped {
					return true
				}
			}
		}
	}
	return false
}

// quick is flags for a run of a fraction of a second.
var quick = []string{"-rounds", "1", "-duration", "150ms", "-rate", "2000", "-count", "500", "-timeout", "300ms"}

// TestRightServer: a server without a fault passes, every query is accounted
// for, over IPv4 and IPv6.
func TestRightServer(t *testing.T) {
	for network, addr := range map[string]string{"udp4": "127.0.0.1:0", "udp6": "[::1]:0"} {
		t.Run(network, func(t *testing.T) {
			s := startUDP(t, network, addr, nil)
			code, r, errOut := runBench(t, append(quick, "-server", s.addr)...)
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, errOut)
			}
			warm, rate := r.Rounds[0].Measurements[0], r.Rounds[0].Measurements[1]
			if !warm.Complete || warm.Queries.Good != 500 {
				t.Errorf("warm-up: %d good of 500, complete: %v", warm.Queries.Good, warm.Complete)
			}
			q := rate.Queries
			if q.Good == 0 || q.Wrong+q.Refused > 0 || q.Sent+q.Skipped != 300 || q.Good+q.Late > q.Sent {
				t.Errorf("measurement: %+v", q)
			}
			if l := q.Latency; l.P50 <= 0 || l.P99 < l.P50 || l.Max < l.P99*0.99 || l.Histogram == "" {
				t.Errorf("latency: %+v", l)
			}
		})
	}
}

// TestFaultsAreFound: whatever a server does wrong fails the run and is named.
func TestFaultsAreFound(t *testing.T) {
	every10 := func(do func(reply []byte) []byte) func(uint64, []byte) []byte {
		return func(n uint64, reply []byte) []byte {
			if n%10 == 0 {
				return do(reply)
			}
			return reply
		}
	}
	for _, tt := range []struct {
		reason string
		fault  func(reply []byte) []byte
	}{
		{"unknown_id", func(r []byte) []byte { r[0] ^= 0x40; return r }},
		{"not_a_response", func(r []byte) []byte { r[2] &^= 0x80; return r }},
		{"wrong_opcode", func(r []byte) []byte { r[2] |= 0x20; return r }},
		{"truncated", func(r []byte) []byte { r[2] |= 2; return r }},
		{"wrong_question", func(r []byte) []byte { r[14] ^= 1; return r }},
		{"wrong_question", func(r []byte) []byte { r[13] ^= 0x20; return r }}, // the letter case
		{"wrong_question", func(r []byte) []byte { r[5] = 0; return r }},
		{"wrong_rcode", func(r []byte) []byte { r[3] |= 3; return r }},
		{"wrong_address", func(r []byte) []byte { r[len(r)-1]++; return r }},
		{"wrong_address", func(r []byte) []byte { r[7] = 0; return r[:len(r)-16] }},
		{"wrong_address", func(r []byte) []byte { r[len(r)-13]++; return r }}, // the type
		{"unreadable", func(r []byte) []byte { return r[:len(r)-3] }},
		{"too_short", func(r []byte) []byte { return r[:9] }},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			s := startUDP(t, "udp4", "127.0.0.1:0", every10(tt.fault))
			code, r, errOut := runBench(t, append(quick, "-warm=false", "-server", s.addr)...)
			q := r.Rounds[0].Measurements[0].Queries
			if code != exitWrong || q.WrongBy[tt.reason] == 0 || q.Wrong < q.Sent/20 || q.Good == 0 {
				t.Errorf("exit code %d, %d good and %v wrong of %d", code, q.Good, q.WrongBy, q.Sent)
			}
			if !strings.Contains(errOut, "were wrong") || !strings.HasPrefix(q.FirstWrong, tt.reason) {
				t.Errorf("said %q, first wrong reply %q", errOut, q.FirstWrong)
			}
		})
	}
}

// TestSecondReply: answering twice is wrong too.
func TestSecondReply(t *testing.T) {
	s := startUDP(t, "udp4", "127.0.0.1:0", nil)
	n := newTally(1e9)
	g := newTestGenerator(t, append(quick, "-server", s.addr)...)
	threads, err := g.threads(g.opt.targets[0].addr, 1, 1e9, flow{rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer threads[0].close()
	st := threads[0].streams[0]
	st.tally = n
	st.send(1, 1)
	l := st.lines[0]
	reply := s.answer(st.packet[:len(st.load.packet(st.packet[:0], l.next-1, st.keys[0]))])
	st.reply(l, reply, 2)
	st.reply(l, reply, 3)
	if n.by[right] != 1 || n.by[unknownID] != 1 {
		t.Errorf("verdicts %v", n.by)
	}
}

// TestLossIsFound: queries without a good reply count as lost, whether nothing
// came or SERVFAIL.
func TestLossIsFound(t *testing.T) {
	for name, fault := range map[string]func([]byte) []byte{
		"silence":  func([]byte) []byte { return nil },
		"servfail": func(r []byte) []byte { r[3] |= 2; return r },
	} {
		t.Run(name, func(t *testing.T) {
			s := startUDP(t, "udp4", "127.0.0.1:0", func(n uint64, r []byte) []byte {
				if n%4 == 0 {
					return fault(r)
				}
				return r
			})
			_, r, _ := runBench(t, append(quick, "-warm=false", "-server", s.addr)...)
			q := r.Rounds[0].Measurements[0].Queries
			if q.Loss < 0.2 || q.Wrong > 0 {
				t.Errorf("loss %.2f, %d wrong; want 0.25 and none", q.Loss, q.Wrong)
			}
		})
	}
}

// TestDeadServer: no good reply at all is a failure, not a fast server.
func TestDeadServer(t *testing.T) {
	code, r, errOut := runBench(t, append(quick, "-warm=false", "-server", "127.0.0.1:1")...)
	if code != exitWrong || !strings.Contains(errOut, "no query had a good reply") || r.Summary[0].Figures["loss"].Median != 1 {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

// TestCompare: two servers take turns, the order turns around, and the table has
// both with a ratio.
func TestCompare(t *testing.T) {
	good := startUDP(t, "udp4", "127.0.0.1:0", nil)
	half := startUDP(t, "udp4", "127.0.0.1:0", func(n uint64, r []byte) []byte {
		if n%2 == 0 {
			return nil
		}
		return r
	})
	file := filepath.Join(t.TempDir(), "out.json")
	args := append(append([]string{}, quick...), "-warm=false", "-rounds", "2", "-json", file,
		"-server", "good="+good.addr, "-server", "half="+half.addr, "-pid", fmt.Sprintf("good=%d", os.Getpid()))
	var code int
	var out, errOut bytes.Buffer
	var r Report
	repeatLate(func() *Report {
		out.Reset()
		errOut.Reset()
		code = run(context.Background(), args, &out, &errOut)
		r = Report{}
		if data, err := os.ReadFile(file); err != nil || json.Unmarshal(data, &r) != nil {
			t.Fatalf("report: %v, exit code %d: %s", err, code, errOut.String())
		}
		return &r
	})
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut.String())
	}
	for _, want := range []string{"good", "half", "replies/s", "cpu us", "x"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	var order []string
	for _, round := range r.Rounds {
		order = append(order, round.Server)
	}
	if got := strings.Join(order, " "); got != "good half half good" {
		t.Errorf("turns %q", got)
	}
	a, b := r.Summary[0].Figures["replies"], r.Summary[1].Figures["replies"]
	if a.Median <= 0 || b.Ratio != b.Median/a.Median || r.Summary[1].Figures["loss"].Median < 0.4 {
		t.Errorf("replies %+v and %+v, loss %+v", a, b, r.Summary[1].Figures["loss"])
	}
	if r.Machine.CPU == "" || r.Machine.Kernel == "unknown" || r.Machine.Date.IsZero() || r.Summary[0].Figures["cpu_us"].Median <= 0 {
		t.Errorf("machine %+v, CPU us %v", r.Machine, r.Summary[0].Figures["cpu_us"])
	}
}

// TestSearch: a search ends with a rate, the loads below it, and a report.
func TestSearch(t *testing.T) {
	s := startUDP(t, "udp4", "127.0.0.1:0", nil)
	code, r, errOut := runBench(t, "-search", "-warm=false", "-rounds", "1", "-duration", "50ms", "-max-rate", "5000", "-max-loss", "0.9", "-timeout", "50ms", "-loads", "50", "-server", s.addr)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	v := r.Rounds[0].Values
	if v["best"] <= 0 || v["overload"] <= 0 || v["p99@50"] <= 0 {
		t.Errorf("values %v", v)
	}
}

// TestTCP: pipelined replies in another order are matched by their IDs, and a
// connection that the server closes is opened again.
func TestTCP(t *testing.T) {
	patient := append(append([]string{}, quick...), "-timeout", "2s")
	s := startTCP(t, 0)
	code, r, errOut := runBench(t, append(patient, "-proto", "tcp", "-sockets", "2", "-server", s.addr)...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	if q := r.Rounds[0].Measurements[1].Queries; q.Good+2 < q.Sent || q.Wrong > 0 || q.Closed > 0 { // each connection may hold one reply back
		t.Errorf("measurement: %+v", q)
	}

	for try := 1; ; try++ {
		s = startTCP(t, 100)
		_, r, _ = runBench(t, append(patient, "-warm=false", "-proto", "tcp", "-sockets", "1", "-server", s.addr)...)
		q := r.Rounds[0].Measurements[0].Queries
		if q.Closed != 1 || q.Wrong > 0 || q.Loss == 0 {
			t.Fatalf("after a hang-up: %+v", q)
		}
		if q.Good > 100 {
			break
		}
		// A machine that halted sent all queries of the run at once, before the hang-up.
		if try == 20 {
			t.Fatalf("nothing came over a second connection: %+v", q)
		}
	}
}

// TestAttacks: both attacks run beside the good queries, from another address.
func TestAttacks(t *testing.T) {
	s := startUDP(t, "udp4", "127.0.0.1:0", nil)
	for _, scenario := range []string{"flood", "malformed"} {
		t.Run(scenario, func(t *testing.T) {
			code, r, errOut := runAttack(t, scenario, s.addr)
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, errOut)
			}
			m := r.Rounds[0].Measurements[0]
			if m.Queries.Good == 0 || m.Attack.Sent == 0 || m.Attack.Replies == 0 || r.Rounds[0].Values["after"] == 0 {
				t.Errorf("good %+v, attack %+v", m.Queries, m.Attack)
			}
			if scenario == "flood" && m.Attack.Rcodes["NXDOMAIN"] == 0 {
				t.Errorf("replies to the flood: %v", m.Attack.Rcodes)
			}
			if scenario == "malformed" && (m.Attack.RepliesKind["response"] != 0 || m.Attack.RepliesKind["pointer_to_itself"] == 0) {
				t.Errorf("replies to malformed packets: %v", m.Attack.RepliesKind)
			}
		})
	}
}

// TestAnsweredResponse: a server that replies to a response fails the run.
func TestAnsweredResponse(t *testing.T) {
	n := newTally(1e9)
	m := &malformed{names: mustPattern(t, "h%d.example", 10)}
	p := m.packet(nil, 7, 16)
	if p[2]&0x80 == 0 {
		t.Fatal("key 16 is not a response")
	}
	n.note(m.check(p, 16), p)
	if n.by[answeredResponse] != 1 || !strings.HasPrefix(n.first, "answered_a_response") {
		t.Errorf("verdicts %v, first %q", n.by, n.first)
	}
}

// runAttack runs an attack without the pause after it.
func runAttack(t *testing.T, scenario, addr string) (int, *Report, string) {
	t.Helper()
	g := newTestGenerator(t, append(append([]string{}, quick...), "-warm=false", "-attack-rate", "4000", "-scenario", scenario, "-server", addr)...)
	b := &bench{opt: g.opt, gen: g, best: map[string]float64{}, tell: func(string, ...any) {}}
	var r *Report
	repeatLate(func() *Report {
		var err error
		if r, err = b.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return r
	})
	if err := r.verdict(); err != nil {
		return exitWrong, r, err.Error()
	}
	return exitOK, r, ""
}

func newTestGenerator(t *testing.T, args ...string) *generator {
	t.Helper()
	o, err := parseOptions(args, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGenerator(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
