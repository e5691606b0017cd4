package main

import (
	"fmt"
	"slices"
)

// better says which way a figure is good.
type better uint8

const (
	neither better = iota
	higher
	lower
)

// column is one figure of the table.
type column struct {
	key    string // in Round.Values
	title  string
	format string
	scale  float64
	better better // unless neither, ratios to the first server are shown
}

// columns returns what the table shows for this kind of measurement.
func columns(o *options) []column {
	tail := []column{
		{"cpu_us", "cpu us", "%.2f", 1, lower},
		{"pss_mib", "PSS MiB", "%.1f", 1, lower},
		{"wrong", "wrong", "%.0f", 1, neither},
	}
	latency := func(suffix string) []column {
		return []column{
			{"p50" + suffix, "P50" + suffix + " us", "%.0f", 1, neither},
			{"p99" + suffix, "P99" + suffix + " us", "%.0f", 1, lower},
			{"p999" + suffix, "P99.9" + suffix + " us", "%.0f", 1, neither},
		}
	}
	var c []column
	switch {
	case o.search:
		c = []column{
			{"overload", "overload/s", "%.0f", 1, higher},
			{"best", fmt.Sprintf("<=%.3g%% loss/s", o.maxLoss*100), "%.0f", 1, higher},
		}
		for _, percent := range o.loads {
			c = append(c, latency(fmt.Sprintf("@%g", percent))...)
		}
	case o.scenario.cold:
		c = []column{
			{"resolved", "resolved/s", "%.0f", 1, higher},
			{"loss", "failed %", "%.3f", 100, neither},
		}
		c = append(c, latency("")...)
		tail[0] = column{"cpu_us", "cpu us/name", "%.0f", 1, lower}
	case o.scenario.attack == coldNames:
		c = append(c, column{"good", "cached ok %", "%.2f", 100, higher})
		c = append(c, latency("@alone")...)
		c = append(c, latency("@beside")...)
		c = append(c, column{"p99_ratio", "P99 ratio", "%.2f", 1, lower},
			column{"resolved", "resolved/s", "%.0f", 1, neither},
			column{"failed", "failed %", "%.3f", 100, neither})
	case o.scenario.attack != noAttack:
		c = []column{
			{"good", "good ok %", "%.2f", 100, higher},
			{"sent", "good/s", "%.0f", 1, neither},
			{"attack_sent", "attack/s", "%.0f", 1, neither},
			{"attack_replies", "attack replies/s", "%.0f", 1, neither},
			{"after", "after %", "%.2f", 100, neither},
		}
		c = append(c, latency("")...)
	default:
		c = []column{
			{"sent", "sent/s", "%.0f", 1, neither},
			{"replies", "replies/s", "%.0f", 1, higher},
			{"loss", "loss %", "%.3f", 100, neither},
		}
		c = append(c, latency("")...)
		c = append(c, column{"max", "max us", "%.0f", 1, neither})
	}
	return append(c, tail...)
}

// Figure sums up one figure over the rounds.
type Figure struct {
	Median float64 `json:"median"`
	Spread float64 `json:"spread"` // half the range, as a share of the median
	Ratio  float64 `json:"ratio"`  // of the median to the first server's; 0: there is none
	Rounds int     `json:"rounds"` // that had this figure
}

// Summary is one server over all rounds.
type Summary struct {
	Server  string            `json:"server"`
	Noisy   bool              `json:"noisy"`             // no round was quiet
	Limited bool              `json:"generator_limited"` // in some round
	Figures map[string]Figure `json:"figures"`
}

// summarize sums up the rounds, server by server in the order of targets. Rounds
// that others disturbed do not count, if there is a quiet one.
func summarize(targets []*target, rounds []*Round, cols []column) []Summary {
	var all []Summary
	for _, t := range targets {
		s := Summary{Server: t.name, Figures: map[string]Figure{}}
		var mine, quiet []*Round
		for _, r := range rounds {
			if r.Server != t.name {
				continue
			}
			mine = append(mine, r)
			s.Limited = s.Limited || r.Limited
			if !r.Noisy {
				quiet = append(quiet, r)
			}
		}
		if s.Noisy = len(quiet) == 0; !s.Noisy {
			mine = quiet
		}
		for _, c := range cols {
			if f, ok := figure(mine, c.key); ok {
				if len(all) > 0 && all[0].Figures[c.key].Median != 0 {
					f.Ratio = f.Median / all[0].Figures[c.key].Median
				}
				s.Figures[c.key] = f
			}
		}
		all = append(all, s)
	}
	return all
}

// figure sums up the values that the rounds have under key.
func figure(rounds []*Round, key string) (Figure, bool) {
	var values []float64
	for _, r := range rounds {
		if v, ok := r.Values[key]; ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Figure{}, false
	}
	slices.Sort(values)
	f := Figure{Median: values[len(values)/2], Rounds: len(values)}
	if len(values)%2 == 0 {
		f.Median = (values[len(values)/2-1] + values[len(values)/2]) / 2
	}
	if f.Median != 0 {
		f.Spread = (values[len(values)-1] - values[0]) / 2 / f.Median
	}
	return f, true
}
