package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestCold: over all rounds each name is asked for once of each server, even where no reply comes, and the
// figures say what became of it.
func TestCold(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]map[string]int{"a": {}, "b": {}}
	server := func(name string) *testServer {
		return startUDP(t, "udp4", "127.0.0.1:0", func(_ uint64, reply []byte) []byte {
			mu.Lock()
			defer mu.Unlock()
			q := string(reply[12 : 13+reply[12]])
			asked[name][q]++
			if q == "\x03h77" {
				reply[3] |= 2 // SERVFAIL
			}
			return reply
		})
	}
	a, b := server("a"), server("b")
	code, r, errOut := runBench(t, "-scenario", "cold", "-rounds", "3", "-count", "300", "-window", "7", "-server", "a="+a.addr, "-server", "b="+b.addr)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	mu.Lock()
	defer mu.Unlock()
	for name, names := range asked {
		if len(names) != 300 {
			t.Errorf("%s was asked for %d names", name, len(names))
		}
		for q, n := range names {
			if n != 1 {
				t.Errorf("%s was asked for %q %d times", name, q, n)
			}
		}
	}
	for _, s := range r.Summary {
		if f := s.Figures; f["resolved"].Median <= 0 || f["resolved"].Rounds != 3 || f["p50"].Median <= 0 {
			t.Errorf("%s: %+v", s.Server, f)
		}
	}
	for _, round := range r.Rounds {
		want := 0.0
		if round.Round == 1 {
			want = 1.0 / 100
		}
		if got := round.Values["loss"]; got < want-1e-9 || got > want+1e-9 || len(round.Measurements) != 1 {
			t.Errorf("%s, round %d: failed %v, want %v, %d measurements", round.Server, round.Round, got, want, len(round.Measurements))
		}
	}
}

// TestColdFile: names may come from a file, with what is to be answered.
func TestColdFile(t *testing.T) {
	s := startUDP(t, "udp4", "127.0.0.1:0", nil)
	file := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(file, []byte("h1.a.test A 10.0.0.1\nh2.b.test A 10.0.0.2\nnone.c.test A NXDOMAIN\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, r, errOut := runBench(t, "-scenario", "cold", "-rounds", "1", "-names", file, "-server", s.addr)
	if code != exitOK || r.Rounds[0].Measurements[0].Queries.Good != 3 {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	code, _, errOut = runBench(t, "-scenario", "cold", "-rounds", "4", "-names", file, "-server", s.addr)
	if code != exitWrong || !strings.Contains(errOut, "too few for 4 rounds") {
		t.Errorf("more rounds than names: exit code %d: %s", code, errOut)
	}
}

// TestOnlyOnce: what is given back is not drawn again.
func TestOnlyOnce(t *testing.T) {
	o := &onlyOnce{first: 5, end: 8}
	var got []uint64
	for key, ok := o.next(); ok; key, ok = o.next() {
		got = append(got, key)
		o.again(key)
	}
	if want := []uint64{5, 6, 7}; !slices.Equal(got, want) {
		t.Errorf("drew %v, want %v", got, want)
	}
}
