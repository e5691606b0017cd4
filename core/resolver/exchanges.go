package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/slots"
	"heimdall/core/wire"
)

// exchanges are the queries in flight. A response finds its query by the socket that it came to and its ID.
type exchanges struct {
	table slots.Table[exchange]
	seed  uint64
	byID  []int32 // open addressing by socket and ID, -1 is free
	heads []int32 // of chains by what was asked of whom, -1: none
}

func newExchanges(n int, seed uint64) exchanges {
	return exchanges{table: slots.New[exchange](n), seed: seed, byID: slots.Heads(2 * n), heads: slots.Heads(n)}
}

func (p *exchanges) at(i int32) *exchange { return p.table.At(uint32(i)) }

// of returns the exchange that a reference means, -1 if it has ended.
func (p *exchanges) of(ref uint64) int32 {
	i := refIndex(ref)
	if ref&timerRef != 0 || i < 0 || int(i) >= len(p.table.Touched()) {
		return -1
	}
	if x := p.at(i); !x.live || x.gen != refGen(ref) {
		return -1
	}
	return i
}

// add takes a slot for an exchange, -1 if there is none.
func (p *exchanges) add() int32 {
	n, ok := p.table.Take()
	if !ok {
		return -1
	}
	x := p.table.At(n)
	*x = exchange{gen: (x.gen + 1) & genMask, live: true}
	return int32(n)
}

// remove gives an exchange's slot back.
func (p *exchanges) remove(i int32) {
	x := p.at(i)
	if x.listed {
		p.unlist(i)
	}
	x.live = false
	p.table.Put(uint32(i))
}

func (p *exchanges) place(sock, id uint16) uint64 {
	return dname.Mix(uint64(sock)<<16|uint64(id)) & uint64(len(p.byID)-1)
}

// find returns the exchange registered for sock and id, -1 if there is none.
func (p *exchanges) find(sock, id uint16) int32 {
	for at := p.place(sock, id); ; at = (at + 1) & uint64(len(p.byID)-1) {
		i := p.byID[at]
		if i < 0 || p.at(i).sock == sock && p.at(i).id == id {
			return i
		}
	}
}

// enlist registers an exchange for the responses to sock and id, which must be unused, and for those that only look like
// it: asked is the hash of what it asks.
func (p *exchanges) enlist(i int32, sock, id uint16, asked uint32) {
	x := p.at(i)
	x.sock, x.id, x.asked, x.listed = sock, id, asked, true
	at := p.place(sock, id)
	for ; p.byID[at] >= 0; at = (at + 1) & uint64(len(p.byID)-1) {
	}
	p.byID[at] = i
	head := p.head(asked)
	x.askedPrev, x.askedNext = -1, *head
	if *head >= 0 {
		p.at(*head).askedPrev = i
	}
	*head = i
}

func (p *exchanges) unlist(i int32) {
	x := p.at(i)
	if x.askedPrev >= 0 {
		p.at(x.askedPrev).askedNext = x.askedNext
	} else {
		*p.head(x.asked) = x.askedNext
	}
	if x.askedNext >= 0 {
		p.at(x.askedNext).askedPrev = x.askedPrev
	}
	x.listed = false
	mask := uint64(len(p.byID) - 1)
	at := p.place(x.sock, x.id)
	for p.byID[at] != i {
		at = (at + 1) & mask
	}
	// Knuth, volume 3, algorithm 6.4R: close the gap, so that no probe ends early.
	p.byID[at] = -1
	for j := (at + 1) & mask; p.byID[j] >= 0; j = (j + 1) & mask {
		y := p.at(p.byID[j])
		if home := p.place(y.sock, y.id); (j-home)&mask >= (j-at)&mask {
			p.byID[at], p.byID[j] = p.byID[j], -1
			at = j
		}
	}
}

// head is where the chain of exchanges that ask the same of the same server begins.
func (p *exchanges) head(asked uint32) *int32 { return &p.heads[asked&uint32(len(p.heads)-1)] }

// askedHash is the hash of what a query over a socket asks a server. It is keyed: strangers choose names.
func (p *exchanges) askedHash(sock uint16, server int32, name dname.Name, typ wire.Type) uint32 {
	return uint32(dname.Mix(dname.Hash(p.seed, name) ^ dname.Mix(uint64(server)<<32|uint64(sock)<<16|uint64(typ))))
}

// near finds the query that a response of a server, with an ID that is unknown, tries to answer: same socket, server and
// question. Of several, it is the one that the fewest wrong responses were counted for.
func (p *exchanges) near(sock uint16, server int32, msg []byte, tasks *tasks) int32 {
	var buf [dname.MaxLen]byte
	name, next, ok := dname.Unpack(buf[:0], msg, wire.HeaderLen)
	if server < 0 || !ok || len(msg)-next < 4 {
		return -1
	}
	asked := p.askedHash(sock, server, name, wire.Type(uint16(msg[next])<<8|uint16(msg[next+1])))
	best := int32(-1)
	e := *p.head(asked)
	for n := 0; e >= 0 && n < maxNear; e = p.at(e).askedNext {
		x := p.at(e)
		if x.asked != asked || x.sock != sock || x.server != server {
			continue
		}
		n++
		if result := x.check(tasks.at(x.task), msg); result <= checkCase && (best < 0 || x.guesses < p.at(best).guesses) {
			best = e
		}
	}
	return best
}

// pending says whether one of a task's queries, other than a probe, is still within its time.
func (p *exchanges) pending(t *task) bool {
	for i := t.flights; i >= 0; i = p.at(i).next {
		if x := p.at(i); !x.late && !x.probe {
			return true
		}
	}
	return false
}

// pendingBeside says whether a task waits for another query than e that is within its time.
func (p *exchanges) pendingBeside(t *task, e int32) bool {
	for i := t.flights; i >= 0; i = p.at(i).next {
		if x := p.at(i); i != e && !x.late && !x.probe && !x.unsent() {
			return true
		}
	}
	return false
}

// oldest is the query of a task that has been out longest. There is one.
func (p *exchanges) oldest(t *task) int32 {
	last := t.flights
	for p.at(last).next >= 0 {
		last = p.at(last).next
	}
	return last
}

// due is when the first of a task's queries passes its time-out, or the task its deadline.
func (p *exchanges) due(t *task) int64 {
	due := t.deadline
	for i := t.flights; i >= 0; i = p.at(i).next {
		if x := p.at(i); !x.late {
			due = min(due, x.due)
		}
	}
	return due
}
