package cache

import (
	"encoding/binary"
	"math"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Meta is what the resolver knows of a response besides its octets.
type Meta struct {
	AD  bool     // validated: MinTTL does not apply
	EDE wire.EDE // extended error to repeat on hits
	// Text goes with the EDE of a failure. Up to wire.MaxEDEText octets of it are kept.
	Text string
	// TTL in seconds goes before the TTLs in the message, if it is not 0. Failures (SERVFAIL and the like)
	// are kept only if it is given, for 5 minutes at most and never stale (RFC 9520, section 3.2).
	TTL uint32
	// Depends says what change makes the answer worthless.
	Depends Depends
}

// Put stores a response for a key, whose Hash it is given. msg is a whole message with the key's question and no OPT. A
// wire.Builder has made it: its records are kept as they are, and their owner names point to the question, so that a reply
// follows the letter case of its client. What does not answer the question is Uncacheable.
//
// A failure does not replace an answer that is fresh or may be served stale: that is Kept and, once stale,
// is Held for as long as the failure would have been cached.
func (a *Answers) Put(hash uint64, k *Key, msg []byte, m Meta, nowSec uint32) PutResult {
	result := a.keep(hash, k, msg, m, nowSec)
	a.count.results[result]++
	return result
}

func (a *Answers) keep(hash uint64, k *Key, msg []byte, m Meta, now uint32) PutResult {
	j, ok := a.judge(k, msg, m)
	if !ok {
		return Uncacheable
	}
	key := a.pack(k)
	if j.failure {
		if item, ok := a.peek(hash, key, now); ok && !failed(item.Value) {
			binary.LittleEndian.PutUint32(item.Value[heldAt:], now+j.ttl)
			return Kept
		}
	}
	value, result := a.encode(msg, &j, m, now)
	if result != Stored {
		return result
	}
	if entrySize(len(key), len(value)) > a.limits.maxEntry {
		return TooLarge
	}
	expires := uint64(now) + uint64(j.ttl)
	if !j.failure {
		expires += uint64(a.limits.staleTTL)
	}
	return a.put(hash, key, value, uint32(min(expires, math.MaxUint32)), now)
}

// failed reports whether an entry is a cached failure.
func failed(value []byte) bool {
	rcode := wire.RcodeOf(binary.LittleEndian.Uint16(value[flagsAt:]))
	return rcode != wire.RcodeNoError && rcode != wire.RcodeNXDomain
}

// encode writes the value of an entry into the scratch buffer: the records of msg as they are except for their TTLs.
func (a *Answers) encode(msg []byte, j *judgement, m Meta, now uint32) ([]byte, PutResult) {
	var r wire.Reader
	if !r.Reset(msg) {
		return nil, Uncacheable
	}
	nameOff, _, _ := r.Question()
	start, ok := dname.Skip(msg, nameOff)
	if !ok {
		return nil, Uncacheable
	}
	start += 4 // type and class of the question
	body := valueHeader + 2*j.records
	if body+max(len(msg)-start, wire.MaxEDEText)+dependsSize > cap(a.value) {
		return nil, TooLarge
	}
	value := append(a.value[:body], msg[start:]...)
	at := valueHeader
	for rr := (wire.RR{}); ; at += 2 {
		if _, ok := r.Next(&rr); !ok {
			break
		}
		ttlAt := rr.Data - 6 // behind it is the length of the RDATA
		binary.LittleEndian.PutUint16(value[at:], uint16(ttlAt-start))
		binary.BigEndian.PutUint32(value[body+ttlAt-start:], j.clamp(&rr))
	}
	return a.seal(value, msg, j, m, now), Stored
}

// seal completes a value that has the records of msg: its header, and what stands behind the records.
func (a *Answers) seal(value, msg []byte, j *judgement, m Meta, now uint32) []byte {
	flags := wire.Flags(msg) & (wire.RcodeMask | wire.FlagAA)
	if m.AD {
		flags |= wire.FlagAD
	}
	if m.Depends != OnNothing {
		flags |= dependent
	}
	binary.LittleEndian.PutUint32(value[storedAt:], now)
	binary.LittleEndian.PutUint32(value[ttlAt:], j.ttl)
	binary.LittleEndian.PutUint32(value[heldAt:], 0)
	binary.LittleEndian.PutUint16(value[flagsAt:], flags)
	binary.LittleEndian.PutUint16(value[countsAt:], uint16(wire.Count(msg, wire.Answer)))
	binary.LittleEndian.PutUint16(value[countsAt+2:], uint16(wire.Count(msg, wire.Authority)))
	binary.LittleEndian.PutUint16(value[countsAt+4:], uint16(wire.Count(msg, wire.Additional)))
	binary.LittleEndian.PutUint16(value[edeAt:], uint16(m.EDE))
	if j.failure && j.records == 0 {
		value = append(value, m.Text[:wire.ClipText(m.Text, wire.MaxEDEText)]...)
	}
	if m.Depends != OnNothing {
		value = binary.LittleEndian.AppendUint32(value, a.gens.mark(m.Depends))
	}
	return value
}
