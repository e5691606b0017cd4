package cache

import (
	"encoding/binary"
	"math"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Saved is an answer on its way from one cache to another: to one of another process, or of another shard.
type Saved struct {
	Age  uint32 // seconds since it was put
	TTL  uint32 // of the whole, in seconds, when it was put
	AD   bool   // it was validated
	Main bool   // it was asked for again
	// Routes says that an alias leads to another name: it is good under the configuration that it was put under.
	Routes bool
	DO, CD bool
	View   uint8
	EDE    wire.EDE
	// Message is the response with the TTLs that it was put with, ID 0 and its question in lower case.
	Message []byte
}

// A Saved answer as octets, little endian:
//
//	offset  size  field
//	0       4     length of all of it, in octets
//	4       4     Age
//	8       4     TTL
//	12      1     flags: 1 DO, 2 CD, 4 AD, 8 Routes, 16 Main
//	13      1     View
//	14      2     EDE
//	16      n     Message
//
// It does not depend on how an engine keeps answers.
const savedHeader = 16

const (
	savedDO = 1 << iota
	savedCD
	savedAD
	savedRoutes
	savedMain
)

// MaxSaved bounds a Saved answer as octets.
const MaxSaved = savedHeader + wire.MaxLen

func setIf(b *byte, bit byte, on bool) {
	if on {
		*b |= bit
	}
}

// append appends s except for its message, and returns where it starts; seal completes it.
func (s *Saved) append(dst []byte) (out []byte, start int) {
	var flags byte
	setIf(&flags, savedDO, s.DO)
	setIf(&flags, savedCD, s.CD)
	setIf(&flags, savedAD, s.AD)
	setIf(&flags, savedRoutes, s.Routes)
	setIf(&flags, savedMain, s.Main)
	start = len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, s.Age)
	dst = binary.LittleEndian.AppendUint32(dst, s.TTL)
	dst = append(dst, flags, s.View)
	return binary.LittleEndian.AppendUint16(dst, uint16(s.EDE)), start
}

// NextSaved takes the first answer off b, which may come from a stranger; false: there is no whole one. Its Message is
// borrowed from b, and has not been looked at. octets are all of it.
func NextSaved(b []byte) (s Saved, octets, rest []byte, ok bool) {
	if len(b) < savedHeader {
		return s, nil, nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if n < savedHeader+wire.HeaderLen || n > MaxSaved || uint64(n) > uint64(len(b)) {
		return s, nil, nil, false
	}
	flags := b[12]
	return Saved{
		Age: binary.LittleEndian.Uint32(b[4:]), TTL: binary.LittleEndian.Uint32(b[8:]),
		DO: flags&savedDO != 0, CD: flags&savedCD != 0, AD: flags&savedAD != 0, Routes: flags&savedRoutes != 0, Main: flags&savedMain != 0,
		View: b[13], EDE: wire.EDE(binary.LittleEndian.Uint16(b[14:])), Message: b[savedHeader:n:n],
	}, b[:n], b[n:], true
}

// Question returns what the message is the answer to, with the name in wire form. False: it has no question that can be read.
func (s *Saved) Question() (name dname.Name, t wire.Type, c wire.Class, ok bool) {
	if len(s.Message) < wire.HeaderLen || wire.Count(s.Message, wire.Question) != 1 {
		return nil, 0, 0, false
	}
	name, ok = dname.Parse(s.Message[wire.HeaderLen:])
	end := wire.HeaderLen + len(name)
	if !ok || len(s.Message) < end+4 {
		return nil, 0, 0, false
	}
	return name, wire.Type(binary.BigEndian.Uint16(s.Message[end:])), wire.Class(binary.BigEndian.Uint16(s.Message[end+2:])), true
}

// Export goes on with a walk, over about so many bytes of memory, and appends the answers that are worth keeping to dst, each
// as NextSaved reads it. Not among them are failures, and what depends on the zones that are served here. The answers stay
// where they are. With the ristretto engine, whose entries cannot be walked over in steps, there are none.
func (a *Answers) Export(w *Walk, dst []byte, budget int, nowSec uint32) (out []byte, count int, done bool) {
	if a.store == nil {
		return dst, 0, true
	}
	done = a.store.Step(w, budget, nowSec, func(e *Entry) {
		var ok bool
		if dst, ok = a.appendSaved(dst, e, nowSec); ok {
			count++
		}
	})
	return dst, count, done
}

// appendSaved appends an entry as Saved.
func (a *Answers) appendSaved(dst []byte, e *Entry, now uint32) ([]byte, bool) {
	if failed(e.Value) || a.outdated(e.Value) {
		return dst, false
	}
	var h Hit
	a.read(&h, Item{Value: e.Value, Expires: e.Expires}, now)
	flags := binary.LittleEndian.Uint16(e.Value[flagsAt:])
	s := Saved{
		Age: h.age, TTL: h.OrigTTL, AD: flags&wire.FlagAD != 0, Main: e.Main,
		DO: e.Key[1]&1 != 0, CD: e.Key[1]&2 != 0, View: e.Key[0], EDE: h.EDE,
	}
	if flags&dependent != 0 {
		if Depends(binary.LittleEndian.Uint32(e.Value[len(e.Value)-dependsSize:])>>generationBits) != OnRoutes {
			return dst, false
		}
		s.Routes = true
	}
	name := e.Key[nameInKey:]
	if len(h.ttls) == 0 || savedHeader+wire.HeaderLen+len(name)+4+len(h.body) > MaxSaved {
		return dst, false
	}
	dst, start := s.append(dst)
	var head [wire.HeaderLen]byte
	binary.BigEndian.PutUint16(head[2:], wire.FlagQR|flags&(wire.RcodeMask|wire.FlagAA))
	binary.BigEndian.PutUint64(head[4:], h.counts)
	dst = append(dst, head[:]...)
	dst = append(append(dst, name...), e.Key[2:nameInKey]...) // the key has type and class as a question has them
	dst = append(dst, h.body...)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst, true
}

// Importer takes over answers that Export has told. It owns the buffers that this takes; the zero value is ready. It may be
// used with several caches, one at a time.
type Importer struct {
	builder wire.Builder
	message []byte // what builder builds in
	rdata   []byte
}

// Import has a cache take over an answer that was told passed seconds ago. It may come from a stranger: what does not parse, may
// not be kept, or has expired is refused, as Put does. So is what there is no room for without another answer having to go, and
// what the cache has an answer to: that is newer. The times in it are bounded by the limits of the cache.
func (i *Importer) Import(a *Answers, s *Saved, passed, nowSec uint32) bool {
	name, t, c, ok := s.Question()
	if !ok {
		return false
	}
	k := Key{Name: name, Type: t, Class: c, DO: s.DO, CD: s.CD, View: s.View}
	m := Meta{AD: s.AD, EDE: s.EDE}
	if s.Routes {
		m.Depends = OnRoutes
	}
	j, ok := a.judge(&k, s.Message, m)
	if !ok || j.failure || s.TTL == 0 {
		return false
	}
	j.ttl = min(j.ttl, s.TTL)
	age, life := uint64(s.Age)+uint64(passed), uint64(j.ttl)+uint64(a.limits.staleTTL)
	if age >= life {
		return false
	}
	msg, ok := i.build(s.Message)
	if !ok {
		return false
	}
	key, hash := a.pack(&k), a.Hash(&k)
	value, result := a.encode(msg, &j, m, nowSec-uint32(age)) // may be before the zero of the clock: ages are differences
	if result != Stored || entrySize(len(key), len(value)) > a.limits.maxEntry {
		return false
	}
	expires := uint32(min(uint64(nowSec)+life-age, math.MaxUint32))
	if a.store != nil {
		return a.store.Restore(hash, key, value, expires, nowSec, s.Main)
	}
	if _, found := a.heap.peek(hash, key, nowSec); found {
		return false
	}
	return a.heap.put(hash, key, value, expires) == Stored
}

// build builds a message of whatever origin anew, as Put wants it: that checks all of it.
func (i *Importer) build(msg []byte) (built []byte, ok bool) {
	if i.message == nil {
		i.message, i.rdata = make([]byte, 0, wire.MaxLen), make([]byte, 0, wire.MaxLen)
	}
	b := &i.builder
	b.Reset(i.message, wire.MaxLen)
	var r wire.Reader
	if !r.Reset(msg) {
		return nil, false
	}
	b.Header(0, wire.Flags(msg))
	nameOff, t, c := r.Question()
	var owner [dname.MaxLen]byte
	name, _, ok := dname.Unpack(owner[:0], msg, nameOff)
	if !ok || !b.Question(name, t, c) {
		return nil, false
	}
	for rr := (wire.RR{}); ; {
		section, ok := r.Next(&rr)
		if !ok {
			break
		}
		if name, _, ok = dname.Unpack(owner[:0], msg, rr.Owner); !ok {
			return nil, false
		}
		rdata, ok := wire.UnpackRData(i.rdata[:0], msg, &rr)
		if !ok || !b.RR(section, name, rr.Type, rr.Class, rr.TTL, rdata) {
			return nil, false
		}
	}
	return b.Finish(), !r.Err()
}

// Spare tells whether Import may still take an answer.
func (a *Answers) Spare() bool { return a.store == nil || a.store.Spare() }

// Detach takes the memory from the cache, which is empty then and works in mem, as with SetMemory, and returns a cache that
// holds what was in it: only for Export, with a walk of Drain, and for nobody else at the same time. On an error nothing has
// changed.
func (a *Answers) Detach(mem []byte) (*Answers, error) {
	left := &Answers{seed: a.seed, limits: a.limits, store: a.store, gens: a.gens, rules: a.rules}
	a.rules = nil
	if err := a.SetMemory(mem); err != nil {
		a.rules = left.rules
		return nil, err
	}
	if left.store != nil && left.store.Purging() {
		left.store.purge.match = left.flushed
	}
	return left, nil
}
