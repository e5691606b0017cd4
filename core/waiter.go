package core

import (
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/policy"
	"heimdall/core/wire"
)

// waiter is a client's query that cannot be answered yet: parked as data, 304 bytes. Without pointers, so
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

// takeWaiter returns the number of a free place for a waiter, or false when there is none.
func (e *Engine) takeWaiter() (uint32, bool) {
	n, ok := e.waiters.Take()
	if ok {
		w := e.waiters.At(n)
		w.serial = (w.serial + 1) & (1<<31 - 1)
	}
	return n, ok
}

func (e *Engine) putWaiter(n uint32) {
	e.waiters.At(n).state = waiterFree
	e.waiters.Put(n)
}
