package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration, or worth a warning.
type Problem struct {
	File    string // name given to Parse; empty without a file
	Line    int    // from 1; 0: the problem has no place, as when a key is missing
	Key     string // "section.key", "forward[0].zone"; empty outside of keys
	Message string // what is wrong and what to do about it
	Warning bool   // the configuration can be used all the same

	syntax bool // not TOML, or a file that could not be read: what is missing may be in there
	rank   int  // of File, in the order in which files were read
}

// Error returns "file:line: key: message", without the parts that are empty.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is a list of problems, in the order of the lines.
type Problems []Problem

// Err joins the problems that are not warnings, one a line; nil if there are none.
func (p Problems) Err() error {
	var errs []error
	for _, problem := range p {
		if !problem.Warning {
			errs = append(errs, problem)
		}
	}
	return errors.Join(errs...)
}

// Warnings returns the problems that do not keep the configuration from being used.
func (p Problems) Warnings() Problems {
	var warnings Problems
	for _, problem := range p {
		if problem.Warning {
			warnings = append(warnings, problem)
		}
	}
	return warnings
}

// sort orders by file and line; what has no line comes last.
func (p Problems) sort() {
	const last = int(^uint(0) >> 1)
	place := func(a Problem) (rank, line int) {
		if a.Line == 0 {
			return last, last
		}
		return a.rank, a.Line
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		fileA, lineA := place(a)
		fileB, lineB := place(b)
		return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB))
	})
}
