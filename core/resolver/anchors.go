package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// SetAnchors replaces the trust anchors, those of the zones changed among them, and with nil switches validation off. The
// machine reads set and keeps it. It returns whether validation was switched on or off; where there is no memory for what is
// learned, it cannot be. What was validated before stays as it is: Flush what the change is about. Tasks under way begin anew
// if the change may touch them: what they have found so far was judged by other anchors.
func (m *Machine) SetAnchors(set *dnssec.Anchors, changed []dname.Name) (switched bool) {
	if !m.known.Keeps() {
		return false
	}
	if switched = m.trust.SetAnchors(set, m.options.TrustMemory); !switched {
		if len(changed) > 0 {
			m.startOver()
		}
		return false
	}
	clear(m.forwarders.list)
	if set == nil {
		clear(m.actions[:cap(m.actions)]) // lets go of jobs
	} else if m.validations == nil {
		m.validations = make([]*validation, m.tasks.table.Len())
	}
	m.startOver()
	clear(m.failing.slots[:]) // What did not validate is no failure any more, or may be one now.
	return true
}

// startOver has all tasks under way begin anew.
func (m *Machine) startOver() {
	m.tasks.routes++
	m.tasks.anchors++
}

// forgetAliases takes a task back to its question.
func (m *Machine) forgetAliases(t *task) {
	m.held.bytes -= m.chains.release(&t.chain)
	t.setCurrent(t.qname())
	t.anchors, t.aliases, t.security, t.bogus, t.faulty, t.distrusted = m.tasks.anchors, 0, dnssec.Secure, dnssec.ReasonNone, 0, 0
}

// ForgetKeys forgets the validated keys of one zone, so that they are validated anew.
func (m *Machine) ForgetKeys(zone dname.Name) { m.trust.ForgetKeys(zone) }

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
