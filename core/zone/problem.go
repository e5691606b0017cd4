package zone

import (
	"fmt"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Severity says what a Problem means for the zone.
type Severity uint8

const (
	Warning Severity = iota // the zone is served; part of it may not work as meant
	Error                   // the zone is not served
)

func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Problem is something wrong with the contents of a zone.
type Problem struct {
	Severity Severity
	Owner    dname.Name // where; nil: the zone as a whole
	Type     wire.Type  // of the records concerned; 0: none in particular
	Text     string
}

func (p Problem) String() string {
	switch {
	case p.Owner == nil:
		return fmt.Sprintf("%s: %s", p.Severity, p.Text)
	case p.Type == 0:
		return fmt.Sprintf("%s: %s: %s", p.Severity, p.Owner, p.Text)
	}
	return fmt.Sprintf("%s: %s %s: %s", p.Severity, p.Owner, p.Type, p.Text)
}

// maxProblems limits the problems of one severity that are listed for a zone; the rest is only counted.
const maxProblems = 100

// problems collects what is found.
type problems struct {
	list  []Problem
	count [2]int // by severity
}

func (p *problems) add(s Severity, owner dname.Name, t wire.Type, format string, args ...any) {
	if p.count[s]++; p.count[s] <= maxProblems {
		p.list = append(p.list, Problem{s, owner, t, fmt.Sprintf(format, args...)})
	}
}

// finish returns the list, with a line for what was left out.
func (p *problems) finish() []Problem {
	for s, n := range p.count {
		if n > maxProblems {
			p.list = append(p.list, Problem{Severity: Severity(s), Text: fmt.Sprintf("%d more problems like these", n-maxProblems)})
		}
	}
	return p.list
}
