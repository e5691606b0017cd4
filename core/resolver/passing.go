package resolver

import (
	"net/netip"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// A forwarder has to pass DNSSEC records on, or nothing that it says of signed zones validates. passing is what is known
// of one in that respect. It changes nothing about who is asked: it is for operators.
type passing struct {
	state servers.Capability
	bare  uint8      // answers in a row that lacked such records
	zone  dname.Name // where they were missed last
	why   dnssec.Reason
}

// maxBare is how many answers in a row may lack DNSSEC records until the forwarder is taken to remove them: zones that
// are broken themselves lack them too, but not all of what is asked for is in such a zone.
const maxBare = 3

// Notice is news of a forwarder that removes DNSSEC records, or does not any more.
type Notice struct {
	Server  netip.AddrPort
	Zone    string // where they were missed
	Why     string
	Removes bool
}

// lacking says whether a response is bogus for want of DNSSEC records.
func lacking(why dnssec.Reason) bool {
	switch why {
	case dnssec.ReasonUnsigned, dnssec.ReasonNoKeys, dnssec.ReasonNoDenial, dnssec.ReasonKeysUnknown:
		return true
	}
	return false
}

// notePassing notes what a verdict says about the forwarder that gave task t the response. zone is that of the response.
func (m *Machine) notePassing(t *task, source int32, zone dname.Name, r dnssec.Result) {
	if source < 0 || r.Status != dnssec.Secure && r.Status != dnssec.Bogus {
		return
	}
	g := m.realms.groups.find(t.current(), t.typ)
	if g == nil || g.kind != Forward || !slices.Contains(g.servers, source) {
		return
	}
	p := m.passing[source]
	if p == nil {
		p = new(passing)
		m.passing[source] = p
	}
	before := p.state
	switch {
	case r.Status == dnssec.Secure:
		p.state, p.bare = servers.Works, 0
	case !lacking(r.Reason):
		return
	default:
		p.bare = min(p.bare+1, maxBare)
		p.zone, p.why = append(p.zone[:0], zone...), r.Reason
		// Without the keys that are trusted there is no other explanation.
		if p.bare == maxBare || r.Reason != dnssec.ReasonKeysUnknown && t.typ == wire.TypeDNSKEY && m.trust.Anchored(zone) {
			p.state = servers.Broken
		}
	}
	if m.options.Notify != nil && p.state != before && (before == servers.Broken || p.state == servers.Broken) {
		m.options.Notify(Notice{Server: m.servers.At(source).Addr(), Zone: p.zone.String(), Why: p.why.String(), Removes: p.state == servers.Broken})
	}
}

// noteRefusal notes that a forwarder has nothing to say about the keys that are trusted, though it answers other questions:
// nobody asks for keys before there is an answer to validate.
func (m *Machine) noteRefusal(t *task, source int32, why servers.Failure) {
	if t.typ != wire.TypeDNSKEY || !t.isLink(&m.trust) || !m.trust.Anchored(t.current()) {
		return
	}
	switch why {
	case servers.FailRefused, servers.FailFormErr, servers.FailServFail, servers.FailRcode:
		m.notePassing(t, source, t.current(), dnssec.Result{Status: dnssec.Bogus, Reason: dnssec.ReasonKeysUnknown})
	}
}

// passes is what is known of whether server i passes DNSSEC records on.
func (m *Machine) passes(i int32) *passing {
	if p := m.passing[i]; p != nil {
		return p
	}
	return new(passing)
}

// forgetPassing forgets what is known of servers that are no forwarders any more.
func (m *Machine) forgetPassing() {
	for i := range m.passing {
		if !slices.ContainsFunc(m.realms.groups.list, func(g group) bool { return g.kind == Forward && slices.Contains(g.servers, i) }) {
			delete(m.passing, i)
		}
	}
}

// maxZoneText bounds the name of a zone in an extended error, in octets.
const maxZoneText = 80

// bogusText says to clients why a task has failed whose responses did not validate: the zone too, and, where DNSSEC records
// are missing, the forwarder that was to pass them on.
func (m *Machine) bogusText(t *task) string {
	text := t.bogus.String()
	if t.faulty == 0 {
		return text
	}
	zone := t.current().Suffix(int(t.faulty - 1))
	name := zone.String()
	if len(name) > maxZoneText {
		name = "..." + name[len(name)-maxZoneText:]
	}
	text += " (zone " + name + ")"
	g := m.realms.groups.find(zone, wire.TypeDNSKEY)
	if g == nil || g.kind != Forward || !lacking(t.bogus) || len(g.servers) == 0 {
		return text
	}
	for _, i := range g.servers {
		if m.passes(i).state == servers.Broken {
			return text + "; forwarder " + m.servers.At(i).Addr().String() + " removes DNSSEC: ask another, or set recursion.validation = false"
		}
	}
	return text + "; asked of forwarder " + m.servers.At(g.servers[0]).Addr().String()
}

// fault tells in which zone the verdict on v was found, where it is bogus that in which the chain of trust, or the response
// itself, is broken: 1 more than its labels; 0: unknown.
func (t *task) fault(v *validation) uint8 {
	for _, z := range v.zones {
		if (z.Status == dnssec.Bogus || len(v.zones) == 1) && t.current().In(z.Name) {
			return uint8(z.Name.Labels() + 1)
		}
	}
	return 0
}
