package core

import (
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/policy"
	"heimdall/core/wire"
)

// waiter is a client's query that cannot be answered yet: parked as data, 360 octets. Without pointers, so
// that the collector does not look into the table and untouched pages stay unmapped.
type waiter struct {
	asker
	state   waiterState
	view    uint8
	nameLen uint8
	cd      bool
	inside  bool // nobody's question but our own: it has no place in the fair queue
	typ     wire.Type
	class   wire.Class
	serial  uint32 // of 31 bits; changes with each use, so that a late timer is recognised
	next    uint32 // free list
	fair    policy.Client
	to      Target // where its response goes
	hash    uint64
	qname   [dname.MaxLen]byte // with the client's letter case
}

type waiterState uint8

const (
	waiterFree   waiterState = iota
	waiterQueued             // in the fair queue
	waiterAsked              // known to the resolver
	waiterServed             // has its (stale) response, but the resolver does not know
)

func (w *waiter) name() dname.Name { return w.qname[:w.nameLen] }

// hold notes what the client has asked.
func (w *waiter) hold(k *cache.Key, hash uint64) {
	w.state, w.inside = waiterQueued, false
	w.nameLen = uint8(copy(w.qname[:], k.Name))
	w.typ, w.class, w.cd, w.view = k.Type, k.Class, k.CD, k.View
	w.hash = hash
}

func (w *waiter) key() cache.Key {
	return cache.Key{Name: w.name(), Type: w.typ, Class: w.class, DO: w.do, CD: w.cd, View: w.view}
}

// query returns as much of the client's query as a response repeats. The message is in buf.
func (w *waiter) query(buf []byte) wire.Query {
	msg := wire.AppendQuery(buf[:0], w.id, w.flags, w.name(), w.typ, w.class)
	return wire.Query{Msg: msg, End: len(msg), ID: w.id, Flags: w.flags, Name: w.name(), Type: w.typ, Class: w.class, DO: w.do}
}

// waiters is a table of fixed size.
type waiters struct {
	slot  []waiter
	free  uint32 // first of the free list
	fresh uint32 // slots from here on were never used
	used  int
}

const noWaiter = ^uint32(0)

func newWaiters(n int) waiters { return waiters{slot: make([]waiter, n), free: noWaiter} }

// take returns the number of a free slot, or false when there is none.
func (t *waiters) take() (uint32, bool) {
	i := t.free
	switch {
	case i != noWaiter:
		t.free = t.slot[i].next
	case int(t.fresh) < len(t.slot):
		i = t.fresh
		t.fresh++
	default:
		return 0, false
	}
	t.used++
	t.slot[i].serial = (t.slot[i].serial + 1) & (1<<31 - 1)
	return i, true
}

func (t *waiters) put(i uint32) {
	w := &t.slot[i]
	w.state = waiterFree
	w.next = t.free
	t.free = i
	t.used--
}
