package settings

import (
	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/core/resolver"
)

// Resolver is what a shard's resolver takes: without its memory, the root hints and the trust anchors.
func Resolver(c *config.Config) resolver.Options {
	r := &c.Recursion
	return resolver.Options{
		MaxTasks: maxTasks(c.Resolver.InFlight), MaxWaiters: waiters(c), Timeout: c.Resolver.Timeout,
		UDPSize: uint16(c.Server.UDPPayload), PlainCase: !c.Resolver.CaseRandomisation, NoCookies: !c.Resolver.Cookies, Groups: Groups(c),
		Recursion: r.Enabled, PlainNames: !r.QnameMinimisation, NoIPv4: !r.IPv4, NoIPv6: !r.IPv6,
		QueryLoopback: r.QueryLoopback, DoNotQuery: r.DoNotQuery, AnyGlue: !r.HardenGlue,
	}
}

// maxTasks is the size of the resolver's table for so many clients' queries in flight: it keeps an eighth for
// sub-tasks, and refreshes take some without having a client. Were it smaller than what the fair queue lets
// start, a flood that has its share of the queue would have the whole table.
func maxTasks(inFlight int) int { return inFlight + inFlight/4 + 8 }

// Groups are the servers that the configuration names, by the zones whose names they are asked for.
func Groups(c *config.Config) (list []resolver.Group) {
	add := func(kind resolver.GroupKind, from []config.Upstream) {
		for _, u := range from {
			list = append(list, resolver.Group{Zone: dname.Name(u.Zone), Kind: kind, Servers: u.Servers})
		}
	}
	add(resolver.Forward, c.Forward)
	add(resolver.Stub, c.Stub)
	return list
}
