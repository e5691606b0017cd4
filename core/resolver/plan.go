package resolver

import (
	"net/netip"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// Plan is who would be asked about a question, or about the name that known aliases lead to, and how the answer would be
// validated.
type Plan struct {
	Foreseen Foreseen
	Kind     string        // "forward", "stub", or "iterate"
	Zone     dname.Name    // of the group; when iterating, the closest zone whose servers are known, the root at least
	Servers  []PlanServer  // of a group
	On       bool          // answers are validated
	Anchor   dname.Name    // where the chain of trust begins; nil: there is no anchor for the name
	Status   dnssec.Status // what is known of the name before anybody is asked; Unchecked: nothing, it is validated
	NTA      bool          // the anchor is a negative one
	Keys     dname.Name    // the closest zone whose keys have been validated; nil: none
}

// PlanServer is a server of a group, with its state as in UpstreamInfo.
type PlanServer struct {
	Addr  netip.AddrPort
	State string
}

// Known is what is known of the records that a question is about.
type Known struct {
	Found  bool
	Rank   known.Rank
	Status dnssec.Status
	Age    uint32 // seconds
}

// Plan tells how a question would be resolved, and what is known of its records, without beginning anything: nothing is
// counted, and what is known goes on to be forgotten as if nobody had looked. It allocates.
func (m *Machine) Plan(now int64, q *Question) (Plan, Known) {
	m.now = now
	m.quiet(true)
	defer m.quiet(false)
	p := Plan{Kind: "iterate", Zone: dname.Root(), Foreseen: m.foresee(q)}
	var k Known
	k.Rank, k.Status, k.Age, k.Found = m.known.Inspect(q.Name, q.Type, q.Class, m.seconds())
	if p.Foreseen.On == OnOthers {
		end := *q
		end.Name, q = p.Foreseen.Name, &end
	}
	if g := m.realms.groups.find(q.Name, q.Type); g != nil {
		p.Kind, p.Zone = g.kind.String(), g.zone
		for _, i := range g.servers {
			s := m.servers.At(i)
			p.Servers = append(p.Servers, PlanServer{s.Addr(), info(s).State})
		}
	} else {
		p.Zone = m.knownZone(q)
	}
	m.planTrust(&p, q)
	return p, k
}

// quiet sets whether the stores of what has been learned are only looked at.
func (m *Machine) quiet(on bool) {
	m.known.Quiet(on)
	m.trust.Quiet(on)
}

// knownZone is the closest zone whose servers are known.
func (m *Machine) knownZone(q *Question) dname.Name {
	for n := q.Name.Labels(); n > 0; n-- {
		if _, ok := m.known.Get(known.Delegation, q.Name.Suffix(n), wire.TypeNS, q.Class, m.seconds()); ok {
			return slices.Clone(q.Name.Suffix(n))
		}
	}
	return dname.Root()
}

// planTrust fills in how q would be validated.
func (m *Machine) planTrust(p *Plan, q *Question) {
	if m.trust.Anchors() == nil {
		return
	}
	p.On = true
	name := q.Name
	if q.Type == wire.TypeDS && !name.IsRoot() {
		name = name.Parent() // as unsigned does
	}
	if a := m.trust.Anchors().Closest(name); a != nil {
		p.Anchor, p.NTA = a.Zone, a.Negative
		if z := m.trust.Deepest(name, a.Zone, m.now); z != nil {
			p.Keys = slices.Clone(z.Name)
		}
	}
	p.Status, _ = m.trust.Unsigned(q.Name, q.Type, m.now)
}
