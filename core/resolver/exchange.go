package resolver

import (
	"net/netip"

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
	next   int32 // of the same task, or in the free list
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
	typ      wire.Type
}

// exchanges is the pool, and the table that finds an exchange by socket and ID.
type exchanges struct {
	list  []exchange
	free  int32
	used  int
	inUse int

	slots []int32 // open addressing by socket and ID, -1 is free
	heads []int32 // of chains by what was asked of whom, -1: none
}

func newExchanges(n int) exchanges {
	p := exchanges{list: make([]exchange, n), free: -1, slots: make([]int32, 2*pow2(n)), heads: make([]int32, pow2(n))}
	for i := range p.slots {
		p.slots[i] = -1
	}
	for i := range p.heads {
		p.heads[i] = -1
	}
	return p
}

// add takes an exchange for task t out of the pool, -1 if it is empty.
func (p *exchanges) add() int32 {
	i := p.free
	if i >= 0 {
		p.free = p.list[i].next
	} else if p.used < len(p.list) {
		i = int32(p.used)
		p.used++
	} else {
		return -1
	}
	p.inUse++
	p.list[i] = exchange{gen: (p.list[i].gen + 1) & genMask, live: true}
	return i
}

func (p *exchanges) remove(i int32) {
	x := &p.list[i]
	if x.listed {
		p.unlist(i)
	}
	x.live = false
	x.next, p.free = p.free, i
	p.inUse--
}

func (p *exchanges) slot(sock, id uint16) uint64 {
	return dname.Mix(uint64(sock)<<16|uint64(id)) & uint64(len(p.slots)-1)
}

// find returns the exchange registered for sock and id, -1 if there is none.
func (p *exchanges) find(sock, id uint16) int32 {
	for at := p.slot(sock, id); ; at = (at + 1) & uint64(len(p.slots)-1) {
		i := p.slots[at]
		if i < 0 || p.list[i].sock == sock && p.list[i].id == id {
			return i
		}
	}
}

// enlist registers an exchange for the responses to sock and id, which must be unused, and for those that only look like
// it: asked is the hash of what it asks.
func (p *exchanges) enlist(i int32, sock, id uint16, asked uint32) {
	x := &p.list[i]
	x.sock, x.id, x.asked, x.listed = sock, id, asked, true
	at := p.slot(sock, id)
	for ; p.slots[at] >= 0; at = (at + 1) & uint64(len(p.slots)-1) {
	}
	p.slots[at] = i
	head := &p.heads[asked&uint32(len(p.heads)-1)]
	x.askedPrev, x.askedNext = -1, *head
	if *head >= 0 {
		p.list[*head].askedPrev = i
	}
	*head = i
}

func (p *exchanges) unlist(i int32) {
	x := &p.list[i]
	if x.askedPrev >= 0 {
		p.list[x.askedPrev].askedNext = x.askedNext
	} else {
		p.heads[x.asked&uint32(len(p.heads)-1)] = x.askedNext
	}
	if x.askedNext >= 0 {
		p.list[x.askedNext].askedPrev = x.askedPrev
	}
	x.listed = false
	mask := uint64(len(p.slots) - 1)
	at := p.slot(x.sock, x.id)
	for p.slots[at] != i {
		at = (at + 1) & mask
	}
	// Knuth, volume 3, algorithm 6.4R: close the gap, so that no probe ends early.
	p.slots[at] = -1
	for j := (at + 1) & mask; p.slots[j] >= 0; j = (j + 1) & mask {
		y := &p.list[p.slots[j]]
		if home := p.slot(y.sock, y.id); (j-home)&mask >= (j-at)&mask {
			p.slots[at], p.slots[j] = p.slots[j], -1
			at = j
		}
	}
}

// drop ends an exchange: takes it from its task and gives it back.
func (m *Machine) drop(i int32) {
	x := &m.exchanges.list[i]
	if x.listed { // Sock may be its own even if a shared one would have done.
		m.actions = append(m.actions, Action{Kind: Release, Ref: makeRef(0, x.gen, i), Sock: x.sock})
	}
	t := &m.tasks.list[x.task]
	for p := &t.flights; *p >= 0; p = &m.exchanges.list[*p].next {
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

// exchange finds the exchange that ref means, -1 if it has ended.
func (m *Machine) exchange(ref uint64) int32 {
	i := refIndex(ref)
	if ref&timerRef != 0 || i < 0 || int(i) >= m.exchanges.used {
		return -1
	}
	if x := &m.exchanges.list[i]; !x.live || x.gen != refGen(ref) {
		return -1
	}
	return i
}

// BuildQuery appends the query that ref means to buf[:0] and registers its ID for responses to sock (which
// means nothing for a stream). It returns nil if the query is no longer wanted. buf needs 512 octets.
func (m *Machine) BuildQuery(ref uint64, sock uint16, buf []byte) []byte {
	i := m.exchange(ref)
	if i < 0 {
		return nil
	}
	x := &m.exchanges.list[i]
	t := &m.tasks.list[x.task]
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
		m.exchanges.enlist(i, sock, id, m.askedHash(sock, x.server, t.current()[x.skip:], x.typ))
	}
	var flags uint16
	if x.recurse {
		flags = wire.FlagRD
		if t.cd || m.trust.anchors != nil { // RFC 6840, section 5.9: whoever validates wants to see all there is.
			flags |= wire.FlagCD
		}
	}
	var cased [dname.MaxLen]byte
	msg := wire.AppendQuery(buf[:0], id, flags, x.question(t, &cased), x.typ, t.class)
	if x.edns {
		msg = wire.AppendOPT(msg, wire.OPT{UDPSize: m.options.UDPSize, DO: m.wantDO(t)})
		if x.cookie {
			var cookie [40]byte
			msg = wire.AppendOption(msg, wire.OptionCookie, m.servers.At(x.server).Cookie.Append(cookie[:0], m.rnd))
		}
	}
	return msg
}

// askedHash is the hash of what a query over a socket asks a server. It is keyed: strangers choose names.
func (m *Machine) askedHash(sock uint16, server int32, name dname.Name, typ wire.Type) uint32 {
	return uint32(dname.Mix(dname.Hash(m.tasks.seed, name) ^ dname.Mix(uint64(server)<<32|uint64(sock)<<16|uint64(typ))))
}

// near finds the query that a response with an unknown ID tries to answer: same socket, server and question. Of several,
// it is the one that the fewest wrong responses were counted for.
func (m *Machine) near(sock uint16, from netip.AddrPort, msg []byte) int32 {
	server := m.servers.Find(from)
	var buf [dname.MaxLen]byte
	name, next, ok := dname.Unpack(buf[:0], msg, wire.HeaderLen)
	if server < 0 || !ok || len(msg)-next < 4 {
		return -1
	}
	asked := m.askedHash(sock, server, name, wire.Type(uint16(msg[next])<<8|uint16(msg[next+1])))
	best := int32(-1)
	e := m.exchanges.heads[asked&uint32(len(m.exchanges.heads)-1)]
	for n := 0; e >= 0 && n < maxNear; e = m.exchanges.list[e].askedNext {
		x := &m.exchanges.list[e]
		if x.asked != asked || x.sock != sock || x.server != server {
			continue
		}
		n++
		before := m.stats
		result := m.check(x, msg)
		m.stats = before // It is counted as UnknownID.
		if result != checkFailed && (best < 0 || x.guesses < m.exchanges.list[best].guesses) {
			best = e
		}
	}
	return best
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
