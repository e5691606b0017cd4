package resolver

import (
	"net/netip"
	"time"

	"heimdall/core/dnssec"
	"heimdall/core/resolver/servers"
)

// Stats are counters since New, and the gauges Tasks, Waiters, Exchanges and Servers.
type Stats struct {
	Tasks, Waiters, Exchanges, Servers int

	Started, Joined, Full uint64
	SubTasks              uint64 // lookups of servers' addresses
	Answered, Failed      uint64 // tasks that ended with an answer, with SERVFAIL
	TimedOut              uint64 // of Failed: the deadline passed
	WorkLimit             uint64 // of Failed: maxQueries or maxChain was reached

	Sent, Streams, Probes, Retransmits uint64 // queries sent; of these over TCP, to servers that were down, repeated
	Responses                          uint64 // datagrams and stream messages received
	Accepted                           uint64 // of Responses: belonged to a query

	// Responses that were ignored, in the order in which they are checked.
	Short, UnknownID, WrongSource, NotResponse, WrongOpcode, WrongQuestion, WrongCase, WrongCookie uint64

	Spoofed       uint64                    // queries moved to TCP because of many guesses
	EDNSFallbacks uint64                    // queries repeated without EDNS
	CaseFallbacks uint64                    // servers found not to keep letter case
	NoCookie      uint64                    // queries repeated over TCP because a cookie was missing
	Truncated     uint64                    // queries repeated over TCP because the response was truncated
	Jobs          uint64                    // jobs of validation asked for
	JobsRefused   uint64                    // of Jobs: there was no room for them
	Verdicts      [dnssec.Secure + 1]uint64 // on answers for clients, by status
	Synthesized   uint64                    // answers made from NSEC and NSEC3 records (RFC 8198)
	Evicted       uint64                    // servers forgotten to make room
}

// Stats returns a copy of the counters.
func (m *Machine) Stats() Stats {
	s := m.stats
	s.Tasks, s.Waiters, s.Exchanges = m.tasks.table.Used(), m.tasks.waiters.table.Used(), m.exchanges.table.Used()
	s.Servers, s.Evicted = m.servers.Len(), m.servers.Evicted()
	return s
}

// UpstreamInfo is what is known of one server of a group.
type UpstreamInfo struct {
	Server   netip.AddrPort
	Zones    []string // of the groups that name it
	Kinds    []string // "forward" or "stub", as Zones
	State    string   // "up", "down", or "unknown" while nothing has been heard of it
	SRTT     time.Duration
	RTO      time.Duration
	Sent     uint64
	Answered uint64
	Timeouts uint64
	// Mismatches are messages that came from the server, or instead of it, and answered no query: cut short, with
	// a wrong ID, question, cookie or letter case, or too late.
	Mismatches uint64
	Truncated  uint64            // responses that had to be asked for again over TCP
	Failures   map[string]uint64 // by reason, without those that did not occur
	InFlight   int
	EDNS       string // "yes", "no" or "unknown"
	KeepCase   string // likewise: does it return the question in the letter case asked (0x20)
	DNSSEC     string // likewise, of a forwarder: does it pass DNSSEC records on
	Bare       string // where it did not, and what was missing; empty: nothing was
}

// Upstreams describes the servers of all groups, in the order of the groups. It allocates.
func (m *Machine) Upstreams() []UpstreamInfo {
	var list []UpstreamInfo
	at := map[int32]int{}
	for _, g := range m.realms.groups.list {
		for _, i := range g.servers {
			n, seen := at[i]
			if !seen {
				n = len(list)
				at[i] = n
				u := info(m.servers.At(i))
				p := m.forwarders.of(i)
				if u.DNSSEC = p.state.String(); p.bare > 0 {
					u.Bare = p.why.String() + " (zone " + p.zone.String() + ")"
				}
				list = append(list, u)
			}
			list[n].Zones = append(list[n].Zones, g.zone.String())
			list[n].Kinds = append(list[n].Kinds, g.kind.String())
		}
	}
	return list
}

// Infra describes the servers known, those of groups included, up to limit of them. It allocates.
func (m *Machine) Infra(limit int) []UpstreamInfo {
	var list []UpstreamInfo
	for i := range int32(m.servers.Len()) {
		if len(list) == limit {
			break
		}
		list = append(list, info(m.servers.At(i)))
	}
	return list
}

func info(s *servers.Server) UpstreamInfo {
	c := s.Counters()
	u := UpstreamInfo{
		Server: s.Addr(), State: "up", SRTT: time.Duration(s.SRTT()), RTO: time.Duration(s.RTO()),
		Sent: c.Sent, Answered: c.Answered, Timeouts: c.TimedOut, Mismatches: c.Mismatches, Truncated: c.Truncated, InFlight: s.Pins(),
		EDNS: s.EDNS.State().String(), KeepCase: s.LetterCase.State().String(), Failures: map[string]uint64{},
	}
	if s.SRTT() == 0 {
		u.State = "unknown"
	}
	if s.Down() {
		u.State = "down"
	}
	for i, n := range c.Failed {
		if n > 0 {
			u.Failures[servers.Failure(i).String()] = n
		}
	}
	return u
}
