package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// printable replaces what a terminal could take for a command: the daemon's text
// can contain what strangers on the network wrote.
func printable(r rune) rune {
	if r == '\n' || r == '\t' || unicode.IsPrint(r) {
		return r
	}
	return '?'
}

// table collects rows of cells and writes them aligned.
type table struct {
	rows  [][]string
	right bool // numbers: align to the right
}

func (t *table) row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = strings.NewReplacer("\t", " ", "\n", " ").Replace(fmt.Sprint(c))
	}
	t.rows = append(t.rows, row)
}

func (t *table) write(w io.Writer) {
	flags := uint(0)
	if t.right {
		flags = tabwriter.AlignRight
	}
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', flags)
	for _, row := range t.rows {
		fmt.Fprintln(tw, strings.Join(row, "\t")+"\t")
	}
	tw.Flush()
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// count writes n with separators: 1,234,567.
func count[T uint64 | int | uint32](n T) string {
	s := strconv.FormatUint(uint64(max(n, 0)), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// bytesText writes n bytes with a binary unit.
func bytesText(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), -1
	for v >= 1024 && unit < 4 {
		v /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTP"[unit])
}

// percent writes a share of 1.
func percent(share float64) string { return fmt.Sprintf("%.1f%%", share*100) }

// us writes microseconds with three significant digits and a unit.
func us(v float64) string {
	switch {
	case v <= 0:
		return "-"
	case v < 9.995:
		return fmt.Sprintf("%.2fus", v)
	case v < 99.95:
		return fmt.Sprintf("%.1fus", v)
	case v < 999.5:
		return fmt.Sprintf("%.0fus", v)
	case v < 999.5e3:
		return fmt.Sprintf("%.3gms", v/1e3)
	}
	return fmt.Sprintf("%.3gs", v/1e6)
}

// uptime writes a duration the way people say it: the two largest units.
func uptime(seconds float64) string {
	d := time.Duration(seconds) * time.Second
	days := d / (24 * time.Hour)
	switch {
	case days > 0:
		return fmt.Sprintf("%dd %dh", days, d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// countsText writes named counts, the largest first: "NOERROR 12, SERVFAIL 3".
func countsText(m map[string]uint64) string {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if m[a] != m[b] {
			if m[a] > m[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, name := range names {
		if m[name] > 0 {
			parts = append(parts, name+" "+count(m[name]))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
