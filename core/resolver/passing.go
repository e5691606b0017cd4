package resolver

import (
	"net/netip"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/servers"
	"heimdall/core/resolver/trust"
	"heimdall/core/wire"
)

// forwarders tell which servers pass DNSSEC records on: nothing that others say of signed zones validates. It changes nothing
// about who is asked: it is for operators.
type forwarders struct {
	list    map[int32]*passing // by server
	notify  func(Notice)       // nil: nobody wants to know
	realms  *realms
	servers *servers.Table
	trust   *trust.Store
}

// passing is what is known of one forwarder.
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

// note notes what a verdict says about the forwarder that gave task t the response. zone is that of the response.
func (f *forwarders) note(t *task, source int32, zone dname.Name, r dnssec.Result) {
	if source < 0 || r.Status != dnssec.Secure && r.Status != dnssec.Bogus {
		return
	}
	g := f.realms.groups.find(t.current(), t.typ)
	if g == nil || g.kind != Forward || !slices.Contains(g.servers, source) {
		return
	}
	p := f.list[source]
	if p == nil {
		p = new(passing)
		f.list[source] = p
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
		if p.bare == maxBare || r.Reason != dnssec.ReasonKeysUnknown && t.typ == wire.TypeDNSKEY && f.trust.Anchored(zone) {
			p.state = servers.Broken
		}
	}
	if f.notify != nil && p.state != before && (before == servers.Broken || p.state == servers.Broken) {
		f.notify(Notice{Server: f.servers.At(source).Addr(), Zone: p.zone.String(), Why: p.why.String(), Removes: p.state == servers.Broken})
	}
}

// noteRefusal notes that a forwarder has nothing to say about the keys that are trusted, though it answers other questions:
// nobody asks for keys before there is an answer to validate.
func (f *forwarders) noteRefusal(t *task, source int32, why servers.Failure) {
	if t.typ != wire.TypeDNSKEY || !t.isLink(f.trust) || !f.trust.Anchored(t.current()) {
		return
	}
	switch why {
	case servers.FailRefused, servers.FailFormErr, servers.FailServFail, servers.FailRcode:
		f.note(t, source, t.current(), dnssec.Result{Status: dnssec.Bogus, Reason: dnssec.ReasonKeysUnknown})
	}
}

// of is what is known of whether server i passes DNSSEC records on.
func (f *forwarders) of(i int32) *passing {
	if p := f.list[i]; p != nil {
		return p
	}
	return new(passing)
}

// forget forgets what is known of servers that are no forwarders any more.
func (f *forwarders) forget() {
	for i := range f.list {
		if !slices.ContainsFunc(f.realms.groups.list, func(g group) bool { return g.kind == Forward && slices.Contains(g.servers, i) }) {
			delete(f.list, i)
		}
	}
}

// maxZoneText bounds the name of a zone in an extended error, in octets.
const maxZoneText = 80

// bogusText says to clients why a task has failed whose responses did not validate: the zone too, and, where DNSSEC records
// are missing, the forwarder that was to pass them on.
func (f *forwarders) bogusText(t *task) string {
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
	g := f.realms.groups.find(zone, wire.TypeDNSKEY)
	if g == nil || g.kind != Forward || !lacking(t.bogus) || len(g.servers) == 0 {
		return text
	}
	for _, i := range g.servers {
		if f.of(i).state == servers.Broken {
			return text + "; forwarder " + f.servers.At(i).Addr().String() + " removes DNSSEC: ask another, or set recursion.validation = false"
		}
	}
	return text + "; asked of forwarder " + f.servers.At(g.servers[0]).Addr().String()
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
