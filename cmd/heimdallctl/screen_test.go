package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"heimdall/core/control"
)

// testRates are of so many shards with long numbers.
func testRates(shards int) *rates {
	r := &rates{
		Version: "1.2.3-rc1 (built by go1.26.8 without version control)", PID: 4194304, UptimeSeconds: 93784, Shards: shards, ShardsRunning: shards, CacheEntries: 123456789,
		XDP:      &xdpRates{},
		Warnings: []string{"net.core.rmem_max is 212992: raise it to 8388608 so that bursts are not lost", strings.Repeat("x", 150)},
		Total:    shardRates{ID: -1, CPU: -1, Queries: 123456789, HitRatio: 0.999},
	}
	for i := range shards {
		r.PerShard = append(r.PerShard, shardRates{ID: i, CPU: i, State: control.ShardRestarting, Queries: 1234567, Replies: 1234567, Misses: 99.9, P50Us: 1, P99Us: 1e6, MemoryBytes: 1 << 30})
	}
	return r
}

// Nothing on the screen is wider or longer than it is, and what matters most is there.
func TestScreenFits(t *testing.T) {
	for _, shards := range []int{1, 2, 64} {
		for _, help := range []bool{false, true} {
			for columns := 20; columns <= 200; columns += 5 {
				for rows := 5; rows <= 80; rows += 15 {
					var out bytes.Buffer
					s := &screen{out: &out, size: func() (int, int) { return columns, rows }, help: help}
					if err := s.show(testRates(shards)); err != nil {
						t.Fatal(err)
					}
					text := strings.TrimPrefix(out.String(), screenClear)
					lines := strings.Split(text, "\n")
					if len(lines) > rows || lines[len(lines)-1] != keyLine {
						t.Errorf("%d shards, %d x %d: %d lines, the last is %q", shards, columns, rows, len(lines), lines[len(lines)-1])
					}
					for _, line := range lines {
						if utf8.RuneCountInString(line) > columns {
							t.Errorf("%d shards, %d x %d: %q", shards, columns, rows, line)
						}
					}
					if help || rows < 50 || columns < 40 {
						continue
					}
					for _, want := range []string{"SHARD", "QUERIES/S", "HITS", "heimdalld 1.2.3"} {
						if !strings.Contains(text, want) {
							t.Errorf("%d shards, %d x %d: no %s in\n%s", shards, columns, rows, want, text)
						}
					}
					if shards > 1 && !strings.Contains(text, "\n  all ") {
						t.Errorf("%d shards, %d x %d: no sum in\n%s", shards, columns, rows, text)
					}
				}
			}
		}
	}
}
