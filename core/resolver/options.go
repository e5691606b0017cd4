package resolver

import (
	"net/netip"
	"time"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// GroupKind says how the servers of a group are asked.
type GroupKind uint8

const (
	// Forward groups are recursive resolvers: asked with RD set, and believed about names that belong to the group, with
	// the proof of what does not exist.
	Forward GroupKind = iota
	// Stub groups are authoritative for the group's zone: asked with RD clear, and believed about names that belong
	// to it.
	Stub
)

func (k GroupKind) String() string {
	if k == Stub {
		return "stub"
	}
	return "forward"
}

// A Group names the servers that are asked for Zone and what is below it.
type Group struct {
	Zone    dname.Name
	Kind    GroupKind
	Servers []netip.AddrPort
}

// Options size and tune a Machine. The zero value of each field selects its default.
type Options struct {
	// MaxTasks is the number of distinct questions in flight, sub-tasks included, for which Recursion keeps an
	// eighth free. Default 4096. A slot costs 1,172 bytes once it has been used, with its two exchanges, and
	// 2,204 more once it has been used for iteration; a chain of aliases adds a buffer of 1 to 16 KiB.
	MaxTasks int
	// MaxWaiters is the number of clients that wait for these. Default 4 * MaxTasks, 8 bytes each.
	MaxWaiters int
	// MaxServers is the number of servers remembered. Default 4096, 304 bytes each.
	MaxServers int
	// Timeout is the time within which every task ends. Default 5 s: what stub resolvers wait for one try.
	Timeout time.Duration
	// UDPSize is the EDNS payload size announced to servers, in octets. Default 1232 (DNS flag day 2020).
	UDPSize uint16
	// PlainCase switches 0x20 off: questions are sent in lower case.
	PlainCase bool
	// NoCookies switches DNS cookies (RFC 7873) towards servers off.
	NoCookies bool
	// Recursion resolves names that no group owns from the root servers on.
	Recursion bool
	// RootHints are where that begins. Default DefaultHints.
	RootHints []Hint
	// PlainNames switches QNAME minimisation (RFC 9156) off.
	PlainNames bool
	// NoIPv4 and NoIPv6 forbid servers of a family; groups are not affected.
	NoIPv4, NoIPv6 bool
	// QueryLoopback lets delegations point to loopback addresses.
	QueryLoopback bool
	// DoNotQuery are addresses that delegations may not point to: those of the networks around us, which strangers
	// could have us ask. Root hints and groups may, and so may the zones below servers that have such addresses.
	DoNotQuery []netip.Prefix
	// AnyGlue takes glue that lies outside of the zone of the server that gave it.
	AnyGlue bool
	// Anchors are where chains of trust begin. Nil: nothing is validated. The machine reads it and keeps it. SetAnchors
	// replaces it. With anchors servers are asked for signatures even if the client did not.
	Anchors *dnssec.Anchors
	// Memory holds what is learned: delegations and RRsets. Default 1 MiB, made here, if Recursion is set.
	Memory []byte
	// TrustMemory is what is kept on the Go heap of the chain of trust and of denials, in bytes, while there are anchors.
	// Default 8 MiB.
	TrustMemory int
	// Notify is told when a forwarder is found to remove DNSSEC records, or to pass them on again. It is called in the midst
	// of the machine's own calls, and must return at once. Nil: nobody wants to know.
	Notify func(Notice)
	// Misdated is told when a response is bogus because a signature in it is not valid yet or has expired, as Notify is.
	// Nil: nobody wants to know.
	Misdated func()
	// Groups are the forward and stub zones; Reconfigure replaces them.
	Groups []Group
}

const (
	defaultMaxTasks   = 4096
	defaultMaxServers = 4096
	defaultTimeout    = 5 * time.Second
	defaultUDPSize    = 1232
	defaultMemory     = 1 << 20
)

func (o Options) withDefaults() Options {
	if o.MaxTasks <= 0 {
		o.MaxTasks = defaultMaxTasks
	}
	if o.MaxWaiters <= 0 {
		o.MaxWaiters = 4 * o.MaxTasks
	}
	if o.MaxServers <= 0 {
		o.MaxServers = defaultMaxServers
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.TrustMemory <= 0 {
		o.TrustMemory = mostTrust
	}
	if o.UDPSize < 512 {
		o.UDPSize = defaultUDPSize
	}
	if o.Recursion && o.RootHints == nil {
		o.RootHints = DefaultHints()
	}
	if (o.Recursion || o.Anchors != nil) && len(o.Memory) < cache.MinMemory {
		o.Memory = make([]byte, defaultMemory)
	}
	return o
}

// SetUDPSize replaces UDPSize for queries from now on.
func (m *Machine) SetUDPSize(octets uint16) { m.options.UDPSize = max(octets, 512) }
