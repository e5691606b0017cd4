package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Labels of the root key sentinel (RFC 8509, section 2). The key tag follows in five digits.
const (
	sentinelIs  = "root-key-sentinel-is-ta-"
	sentinelNot = "root-key-sentinel-not-ta-"
)

// sentinel says whether the secure answer of a task is to be withheld, which tells the client whether a key is a
// trust anchor for the root (RFC 8509, section 3).
func (m *Machine) sentinel(t *task) bool {
	if t.typ != wire.TypeA && t.typ != wire.TypeAAAA || t.nameLen < 2 {
		return false
	}
	label := string(t.name[1 : 1+t.name[0]])
	var wanted bool
	switch n := len(label) - 5; {
	case n == len(sentinelIs) && label[:n] == sentinelIs:
		wanted = true
	case n == len(sentinelNot) && label[:n] == sentinelNot:
	default:
		return false
	}
	tag := 0
	for _, c := range label[len(label)-5:] {
		if c < '0' || c > '9' {
			return false
		}
		tag = 10*tag + int(c-'0')
	}
	trusted := false
	if a := m.trust.anchors.Closest(dname.Root()); a != nil {
		for i := range a.DS {
			trusted = trusted || int(a.DS[i].KeyTag) == tag
		}
	}
	return trusted != wanted
}
