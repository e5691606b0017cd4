package zone

import (
	"fmt"
	"strings"

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
	// Where the record stands that it is about; set by a Locator. Line is 0 if there is no record of the name.
	File string
	Line int

	at where
}

// String returns "file:line: owner type: text", without the parts that are not known. The Severity is not part of it.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Owner != nil {
		b.WriteString(p.Owner.String())
		if p.Type != 0 {
			b.WriteString(" " + p.Type.String())
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// maxProblems limits the problems of one severity that are listed for a zone; the rest is only counted.
const maxProblems = 100

// problems collects what is found.
type problems struct {
	list  []Problem
	count [2]int // by severity
}

func (p *problems) add(s Severity, owner dname.Name, t wire.Type, format string, args ...any) {
	p.addAt(where{}, s, owner, t, format, args...)
}

// addAt is add with which of the records of the type it is.
func (p *problems) addAt(at where, s Severity, owner dname.Name, t wire.Type, format string, args ...any) {
	if p.count[s]++; p.count[s] <= maxProblems {
		p.list = append(p.list, Problem{Severity: s, Owner: owner, Type: t, Text: fmt.Sprintf(format, args...), at: at})
	}
}

// finish returns the list, with a line for what was left out.
func (p *problems) finish() []Problem {
	for s, n := range p.count {
		if n > maxProblems {
			p.list = append(p.list, Problem{Severity: Severity(s), Text: fmt.Sprintf("%d more %ss like these", n-maxProblems, Severity(s))})
		}
	}
	return p.list
}
