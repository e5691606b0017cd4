package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Control sequences of every terminal in use: to the upper left corner and clear
// from there; hide and show the cursor.
const (
	screenClear = "\x1b[H\x1b[J"
	cursorHide  = "\x1b[?25l"
	cursorShow  = "\x1b[?25h"
)

// screen is a terminal that shows top, whatever its size: what does not fit is left out, and nothing wraps by itself.
type screen struct {
	out  io.Writer
	size func() (columns, rows int)
	help bool   // the keys are shown
	last *rates // shown last
}

// Sizes of a terminal that does not tell, and the least that anything is laid out for.
const (
	usualColumns, usualRows = 80, 24
	leastColumns, leastRows = 20, 5
)

// keyLine stands below everything.
const keyLine = "q quit, h help"

// topHelp is what h shows.
var topHelp = []string{
	"q       quit",
	"h or ?  show or leave this help",
	"",
	"Rates are those of the last interval; -interval sets it.",
	"QUERIES/S, REPLIES/S, MISSES/S, SERVFAIL/S, DROPS/S: of each shard, in a second. HITS: the part of the queries that the cache answered. " +
		"IN FLIGHT: queries that other servers are asked for. BATCH: datagrams in one system call. P50 to P99.9: service time of queries. " +
		"CACHE: memory in use.",
	"A wider terminal shows more columns.",
}

// press does what a key is for. It returns true for the one that quits.
func (s *screen) press(key byte) (quit bool) {
	switch key {
	case 'q', 'Q':
		return true
	case 'h', 'H', '?':
		if s == nil {
			break
		}
		if s.help = !s.help; s.help || s.last != nil {
			s.show(s.last)
		}
	}
	return false
}

// show draws rates, which may be nil while the help is shown.
func (s *screen) show(r *rates) error {
	s.last = r
	columns, rows := s.size()
	if columns <= 0 {
		columns = usualColumns
	}
	if rows <= 0 {
		rows = usualRows
	}
	columns, rows = max(columns, leastColumns), max(rows, leastRows)
	var lines []string
	if s.help {
		for _, line := range topHelp {
			lines = append(lines, fold(line, columns)...)
		}
	} else {
		lines = layOut(r, columns, rows-2)
	}
	lines = append(lines[:min(len(lines), rows-2)], "", keyLine)
	var b bytes.Buffer
	b.WriteString(screenClear)
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\n") // none after the last line, which would scroll
		}
		b.WriteString(strings.Map(printable, line))
	}
	_, err := s.out.Write(b.Bytes())
	return err
}

// layOut is what top shows on so many columns and rows.
func layOut(r *rates, columns, rows int) (lines []string) {
	for _, part := range topHead(r) {
		for line := range strings.SplitSeq(part, "\n") {
			lines = append(lines, fold(line, columns)...)
		}
	}
	lines = append(lines, "")
	var warnings []string
	for _, warning := range r.Warnings {
		warnings = append(warnings, fold("warning: "+warning, columns)...)
	}
	table := narrow(r, columns)
	if room := rows - len(lines) - min(len(warnings), rows/4); len(table) > room {
		// The row of all is worth more than those of single shards.
		total := table[len(table)-1]
		table = append(table[:max(min(room-1, len(table)-1), 0)], total)
	}
	return append(append(lines, table...), warnings...)
}

// narrow returns the lines of the table with as many columns as fit, the most valuable first.
func narrow(r *rates, columns int) []string {
	for ranks := len(topColumns); ; ranks-- {
		chosen := slices.DeleteFunc(slices.Clone(topColumns), func(c topColumn) bool { return c.rank >= ranks })
		var b bytes.Buffer
		topTable(r, chosen).write(&b)
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		widest := 0
		for i, line := range lines {
			// The first column is aligned to the right too, with two blanks before it.
			lines[i] = strings.TrimPrefix(line, "  ")
			widest = max(widest, utf8.RuneCountInString(lines[i]))
		}
		if widest <= columns || ranks == 1 {
			return lines
		}
	}
}

// fold breaks a line between words, so that no part is longer than so many columns. Longer words are cut.
func fold(line string, columns int) (lines []string) {
	for utf8.RuneCountInString(line) > columns {
		runes := []rune(line)
		at := columns
		for at > 0 && runes[at] != ' ' {
			at--
		}
		rest := at + 1
		if at == 0 {
			at, rest = columns, columns
		}
		lines = append(lines, string(runes[:at]))
		line = string(runes[rest:])
	}
	return append(lines, line)
}
