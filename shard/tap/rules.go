package tap

import (
	"net/netip"
	"slices"
	"time"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// rules choose responses that have a line whatever is sampled: those that one of them is true of.
type rules struct {
	rcodes     []wire.Rcode
	names      map[string]bool // in lower case
	clients    []netip.Prefix
	slowerThan time.Duration
	lower      []byte
}

func newRules(s *LineSettings) *rules {
	r := &rules{rcodes: s.Rcodes, names: map[string]bool{}, clients: s.Clients, slowerThan: s.SlowerThan}
	for _, n := range s.Names {
		r.names[string(n)] = true
	}
	return r
}

// match tells whether a rule is true of a response.
func (r *rules) match(l *line) bool {
	if slices.Contains(r.rcodes, l.rcode) || r.slowerThan > 0 && l.took >= r.slowerThan || r.below(l.name) {
		return true
	}
	client := l.client.Addr()
	return slices.ContainsFunc(r.clients, func(p netip.Prefix) bool { return p.Contains(client) })
}

// below tells whether a name is one of those of the rules, or below one.
func (r *rules) below(n dname.Name) bool {
	if len(r.names) == 0 || n == nil {
		return false
	}
	r.lower = dname.AppendLower(r.lower[:0], n)
	for at := dname.Name(r.lower); at != nil; at = at.Parent() {
		if r.names[string(at)] {
			return true
		}
	}
	return false
}

// bound lets so many pass in each second.
type bound struct {
	most   int // 0: all
	second int64
	passed int
}

func (b *bound) pass(now int64) bool {
	if b.most == 0 {
		return true
	}
	if s := now / 1e9; s != b.second {
		b.second, b.passed = s, 0
	}
	b.passed++
	return b.passed <= b.most
}
