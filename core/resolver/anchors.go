package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// SetAnchors replaces the trust anchors. The machine reads set and keeps it. It does nothing for a machine that
// was made without anchors. What was validated before stays as it is: Flush what the change is about.
func (m *Machine) SetAnchors(set *dnssec.Anchors) {
	if m.trust.anchors == nil || set == nil {
		return
	}
	m.trust.anchors = set
}

// ForgetKeys forgets the validated keys of one zone, so that they are validated anew.
func (m *Machine) ForgetKeys(zone dname.Name) { m.trust.zones.remove(m.trust.lower(zone)) }

// maxReasons is more than there are reasons for an answer to be bogus.
const maxReasons = 64

// bogusCounts are the answers for clients that were bogus, by dnssec.Reason.
type bogusCounts [maxReasons]uint64

func (c *bogusCounts) add(why dnssec.Reason) { c[why%maxReasons]++ }

// Bogus returns the number of answers for clients that were bogus, by reason, without those that did not
// occur. It allocates.
func (m *Machine) Bogus() map[string]uint64 {
	by := map[string]uint64{}
	for why, n := range m.bogus {
		if n > 0 {
			by[dnssec.Reason(why).String()] = n
		}
	}
	return by
}
