package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

const (
	maxFlights = 4  // exchanges of one task, those past their time-out included
	maxGuesses = 4  // wrong responses to one query until it goes to TCP; PowerDNS's spoof-nearmiss-max is 1
	maxNear    = 16 // exchanges with one question, server and socket that share its wrong responses; each task has maxFlights at most
)

// exchange is one query sent to one server.
type exchange struct {
	gen    uint32
	task   int32
	next   int32 // of the same task; -1: none
	server int32

	askedNext, askedPrev int32  // of the same bucket; askedPrev is -1 at the head
	asked                uint32 // hash of question, server and socket

	sent   int64 // never: a limit of ours kept it back
	due    int64
	caseOf uint64 // seed of the letter case; 0: lower case

	sock, id uint16
	guesses  uint8
	live     bool
	listed   bool // (sock, id) are registered
	late     bool // past its time-out, kept in case the answer comes
	stream   bool
	lowered  bool // in lower case to find out whether the server minds mixed case
	edns     bool
	cookie   bool
	probe    bool  // of a server that was down
	recurse  bool  // RD is set
	skip     uint8 // octets of the task's name that minimisation leaves out
	zone     uint8 // labels of the task's name that the zone has whose server is asked
	typ      wire.Type
}

// drop ends an exchange: takes it from its task and gives it back.
func (m *Machine) drop(i int32) {
	x := m.exchanges.at(i)
	if x.listed { // Sock may be its own even if a shared one would have done.
		m.actions = append(m.actions, Action{Kind: Release, Ref: makeRef(0, x.gen, i), Sock: x.sock})
	}
	t := m.tasks.at(x.task)
	for p := &t.flights; *p >= 0; p = &m.exchanges.at(*p).next {
		if *p == i {
			*p = x.next
			break
		}
	}
	t.nflights--
	m.servers.At(x.server).Done(x.late)
	m.exchanges.remove(i)
}

// dropAll ends all exchanges of a task.
func (m *Machine) dropAll(t *task) {
	for t.flights >= 0 {
		m.drop(t.flights)
	}
}

// BuildQuery appends the query that ref means to buf[:0] and registers its ID for responses to sock (which
// means nothing for a stream). It returns nil if the query is no longer wanted. buf needs 512 octets.
func (m *Machine) BuildQuery(ref uint64, sock uint16, buf []byte) []byte {
	i := m.exchanges.of(ref)
	if i < 0 {
		return nil
	}
	x := m.exchanges.at(i)
	t := m.tasks.at(x.task)
	random := m.rnd.Uint64()
	id := uint16(random)
	if x.listed {
		m.exchanges.unlist(i)
	}
	if x.stream {
		x.id = id
	} else {
		for tries := 0; m.exchanges.find(sock, id) >= 0; tries++ {
			if tries == 16 {
				return nil
			}
			random = m.rnd.Uint64()
			id = uint16(random)
		}
		m.exchanges.enlist(i, sock, id, m.exchanges.askedHash(sock, x.server, t.current()[x.skip:], x.typ))
	}
	var flags uint16
	if x.recurse {
		flags = wire.FlagRD
		if t.cd || m.trust.On() { // RFC 6840, section 5.9: whoever validates wants to see all there is.
			flags |= wire.FlagCD
		}
	}
	var cased [dname.MaxLen]byte
	msg := wire.AppendQuery(buf[:0], id, flags, x.question(t, &cased), x.typ, t.class)
	if x.edns {
		msg = wire.AppendOPT(msg, wire.OPT{UDPSize: m.options.UDPSize, DO: t.wantsDO(&m.trust)})
		if x.cookie {
			var cookie [40]byte
			msg = wire.AppendOption(msg, wire.OptionCookie, m.servers.At(x.server).Cookie.Append(cookie[:0], m.rnd))
		}
	}
	return msg
}

// question is the name as asked: in the letter case that the exchange's seed gives.
func (x *exchange) question(t *task, buf *[dname.MaxLen]byte) dname.Name {
	n := append(buf[:0], t.current()[x.skip:]...)
	if x.caseOf != 0 {
		randomCase(n, x.caseOf)
	}
	return n
}

// randomCase turns letters of the lower-case name n to upper case by the bits that seed generates.
// Length octets are below 'a' and stay. draft-vixie-dnsext-dns0x20.
func randomCase(n dname.Name, seed uint64) {
	var bits uint64
	left := 0
	for i, c := range n {
		if c < 'a' || c > 'z' {
			continue
		}
		if left == 0 {
			seed += 0x9e3779b97f4a7c15
			bits, left = dname.Mix(seed), 64
		}
		n[i] = c - byte(bits&1)*('a'-'A')
		bits >>= 1
		left--
	}
}
