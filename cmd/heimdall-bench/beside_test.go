package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestBeside: the cached names are asked for all the time, the others once of each server and only in the second
// measurement of a round.
func TestBeside(t *testing.T) {
	var (
		mu     sync.Mutex
		asked  map[string]int
		s      *testServer
		code   int
		r      *Report
		errOut string
	)
	repeatLate(func() *Report {
		names := map[string]int{} // of this run alone
		s = startUDP(t, "udp4", "127.0.0.1:0", func(_ uint64, reply []byte) []byte {
			mu.Lock()
			defer mu.Unlock()
			names[string(reply[13:13+reply[12]])]++
			return reply
		})
		asked = names
		code, r, errOut = runOnce(t, "-scenario", "beside", "-rounds", "2", "-count", "210", "-hot", "10", "-rate", "2000", "-attack-rate", "1000",
			"-duration", "100ms", "-server", s.addr)
		return r
	})
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	mu.Lock()
	if n := asked["h9"]; n < 2 {
		t.Errorf("a cached name was asked for %d times", n)
	}
	for i := range 200 {
		if name := fmt.Sprintf("h%d", 10+i); asked[name] > 1 {
			t.Errorf("%s was asked for %d times", name, asked[name])
		}
	}
	mu.Unlock()
	for _, round := range r.Rounds {
		v := round.Values
		if len(round.Measurements) != 3 || v["p99@alone"] <= 0 || v["p99@beside"] <= 0 || v["p99_ratio"] != v["p99@beside"]/v["p99@alone"] || v["good"] <= 0 {
			t.Errorf("round %d: %v", round.Round, v)
		}
		if cold := round.Measurements[2].Attack; cold == nil || cold.Good == 0 || cold.Sent > 100 {
			t.Errorf("round %d: names asked for once: %+v", round.Round, cold)
		}
	}
	code, _, errOut = runBench(t, "-scenario", "beside", "-count", "100", "-hot", "90", "-duration", "100ms", "-server", s.addr)
	if code != exitWrong || !strings.Contains(errOut, "too few") {
		t.Errorf("too few names: exit code %d: %s", code, errOut)
	}
	if code, _, errOut := runBench(t, "-scenario", "beside", "-threads", "2", "-server", s.addr); code != exitUsage {
		t.Errorf("two threads: exit code %d: %s", code, errOut)
	}
}
