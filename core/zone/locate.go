package zone

import (
	"bytes"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// where says which record a problem is about, so that it can be found again.
type where struct {
	ordinal int    // of the record among all that were added, from 1; 0: see the rest
	rdata   []byte // uncompressed, for a Locator in canonical form; nil: any of the problem's owner and type
	nth     int    // of those, from 1; 0: the first
}

// Locator finds the lines of problems while the records of a zone are read once more, in the order of before. Not safe
// for concurrent use.
type Locator struct {
	byOwner map[string][]*Problem // without a line yet, by owner in lower case
	left    int
	count   int // records so far
	key     []byte

	canonical []byte // RDATA of the record at hand; valid if known
	known     bool
}

// NewLocator makes a Locator that sets File and Line of the problems that concern a name.
func NewLocator(problems []Problem) *Locator {
	l := &Locator{byOwner: map[string][]*Problem{}}
	for i := range problems {
		if p := &problems[i]; p.Owner != nil {
			if p.at.rdata != nil {
				p.at.rdata = wire.CanonicalRData(nil, p.Type, p.at.rdata)
			}
			key := string(dname.AppendLower(nil, p.Owner))
			l.byOwner[key] = append(l.byOwner[key], p)
			l.left++
		}
	}
	return l
}

// Done reports whether there is nothing left to find.
func (l *Locator) Done() bool { return l.left == 0 }

// Record looks at the next record, which stands in a line of a file.
func (l *Locator) Record(owner dname.Name, t wire.Type, rdata []byte, file string, line int) {
	l.count++
	l.key = dname.AppendLower(l.key[:0], owner)
	list, ok := l.byOwner[string(l.key)]
	if !ok {
		return
	}
	l.known = false
	kept := list[:0]
	for _, p := range list {
		if !l.matches(p, t, rdata) {
			if p.File == "" && p.at.ordinal == 0 {
				p.File, p.Line = file, line // better than nothing
			}
			kept = append(kept, p)
			continue
		}
		if p.at.nth--; p.at.nth > 0 {
			kept = append(kept, p)
			continue
		}
		p.File, p.Line = file, line
		l.left--
	}
	l.byOwner[string(l.key)] = kept
}

// matches reports whether the record at hand is one that p is about.
func (l *Locator) matches(p *Problem, t wire.Type, rdata []byte) bool {
	switch {
	case p.at.ordinal > 0:
		return l.count == p.at.ordinal
	case p.Type != t:
		return false
	case p.at.rdata == nil:
		return true
	}
	if !l.known {
		l.canonical, l.known = wire.CanonicalRData(l.canonical[:0], t, rdata), true
	}
	return bytes.Equal(p.at.rdata, l.canonical)
}

// Rest gives what was not found the name of the zone's own file.
func (l *Locator) Rest(file string) {
	for _, list := range l.byOwner {
		for _, p := range list {
			if p.File == "" {
				p.File = file
			}
		}
	}
}
