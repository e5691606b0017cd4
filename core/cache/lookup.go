package cache

import (
	"encoding/binary"

	"heimdall/core/wire"
)

// State says what a lookup found.
type State uint8

// The states.
const (
	Miss  State = iota // nothing of use
	Fresh              // an answer within its TTL
	Stale              // an answer beyond its TTL, to be served if no other is to be had (RFC 8767)
)

// String returns the state in lower case.
func (s State) String() string {
	switch s {
	case Fresh:
		return "fresh"
	case Stale:
		return "stale"
	}
	return "miss"
}

// The value of an entry, little endian:
//
//	offset  size  field
//	0       4     stored: second of Put
//	4       4     TTL of the whole in seconds
//	8       4     held: second before which a stale entry need not be refreshed
//	12      2     header's second word: RCODE, AA; AD if validated
//	14      6     counts of the answer, authority and additional sections
//	20      2     extended error code
//	22      2*n   offset in the body of the TTL of each of the n records
//	22+2n   b     body: the sections as they stand in a message behind the question; of a failure without records the text of
//	              its extended error
//	22+2n+b 4     with dependent in the flags: the generation, and in the top bit which, of what the answer depends on
//
// There is no second copy of the question: the key has it, and the query.
const (
	storedAt    = 0
	ttlAt       = 4
	heldAt      = 8
	flagsAt     = 12
	countsAt    = 14
	edeAt       = 20
	valueHeader = 22
)

const (
	// dependent is set in the flags of an entry that ends with what it depends on. It is TC, which no entry has.
	dependent   = wire.FlagTC
	dependsSize = 4 // octets
)

// Hit is what Lookup found. It borrows from the cache and is valid until the next Put or Flush.
type Hit struct {
	Rcode   wire.Rcode
	AD      bool     // the data was validated, and its TTL has not run out
	AA      bool     // the response had AA; a reply from a cache has not
	Held    bool     // a refresh failed lately: a stale answer may be served without asking again
	TTL     uint32   // seconds left; 0 when stale
	OrigTTL uint32   // seconds that it had when it was put
	Hits    uint32   // since it was put, this one included; stops at 65535
	EDE     wire.EDE // extended error that was put with it
	Text    []byte   // of EDE, if it is a failure

	age    uint32 // seconds since it was put
	counts uint64 // as in a header, one question included
	ttls   []byte // offsets in body, two bytes each
	body   []byte
}

// Len returns how many octets AppendReply will append for q.
func (h *Hit) Len(q *wire.Query) int { return q.End + len(h.body) }

// Lookup finds the answer for a key, whose Hash it is given, and counts the hit. h is valid unless Miss is
// returned.
func (a *Answers) Lookup(hash uint64, k *Key, nowSec uint32, h *Hit) State {
	item, ok := a.get(hash, a.pack(k), nowSec)
	if !ok || a.outdated(item.Value) {
		a.count.misses++
		return Miss
	}
	a.read(h, item, nowSec)
	if h.TTL > 0 {
		a.count.fresh++
		return Fresh
	}
	a.count.stale++
	return Stale
}

// Peek is Lookup without counting anything: for what is no client's question.
func (a *Answers) Peek(hash uint64, k *Key, nowSec uint32, h *Hit) State {
	item, ok := a.peek(hash, a.pack(k), nowSec)
	if !ok {
		return Miss
	}
	if a.read(h, item, nowSec); h.TTL > 0 {
		return Fresh
	}
	return Stale
}

// read takes an entry apart.
func (a *Answers) read(h *Hit, item Item, now uint32) {
	head := (*[valueHeader]byte)(item.Value)
	flags := binary.LittleEndian.Uint16(head[flagsAt:])
	h.Rcode = wire.RcodeOf(flags)
	h.AA = flags&wire.FlagAA != 0
	held := binary.LittleEndian.Uint32(head[heldAt:])
	h.Held = now < held && held > a.freed
	h.age = now - binary.LittleEndian.Uint32(head[storedAt:])
	h.OrigTTL = binary.LittleEndian.Uint32(head[ttlAt:])
	h.TTL = 0
	if h.OrigTTL > h.age {
		h.TTL = h.OrigTTL - h.age
	}
	// RFC 4035, section 5.3.3: a TTL ends with the signatures at the latest, and whether they hold longer is not known.
	h.AD = flags&wire.FlagAD != 0 && h.TTL > 0
	h.Hits = item.Hits
	h.EDE = wire.EDE(binary.LittleEndian.Uint16(head[edeAt:]))

	an := uint64(binary.LittleEndian.Uint16(head[countsAt:]))
	ns := uint64(binary.LittleEndian.Uint16(head[countsAt+2:]))
	ar := uint64(binary.LittleEndian.Uint16(head[countsAt+4:]))
	h.counts = 1<<48 | an<<32 | ns<<16 | ar
	split := valueHeader + 2*int(an+ns+ar)
	end := len(item.Value)
	if flags&dependent != 0 {
		end -= dependsSize
	}
	h.ttls, h.body, h.Text = item.Value[valueHeader:split], item.Value[split:end], nil
	if len(h.ttls) == 0 {
		h.body, h.Text = nil, h.body // There is no body without records.
	}
}

// AppendReply appends the reply to q that h gives: the query's ID and question, letter case included, the
// given flags and the answer's RCODE, and the sections with TTLs less by the entry's age. With staleTTL
// above 0 all TTLs are that (RFC 8767, section 4, suggests 30 seconds). AD is set if the data was validated
// and the client wants to know (RFC 6840, section 5.8). There is no OPT: the caller appends it.
//
// q must ask what h was looked up for.
func (a *Answers) AppendReply(dst []byte, h *Hit, q *wire.Query, flags uint16, staleTTL uint32) []byte {
	start := len(dst)
	dst = append(dst, q.Msg[:q.End]...)
	dst = append(dst, h.body...)
	msg := dst[start:]

	flags = flags&^wire.RcodeMask | uint16(h.Rcode)
	if h.AD && (q.DO || q.Flags&wire.FlagAD != 0) {
		flags |= wire.FlagAD
	}
	head := (*[wire.HeaderLen]byte)(msg)
	binary.BigEndian.PutUint16(head[2:], flags)
	binary.BigEndian.PutUint64(head[4:], h.counts)

	body := msg[q.End:]
	for ttls := h.ttls; len(ttls) >= 2; ttls = ttls[2:] {
		at := body[binary.LittleEndian.Uint16(ttls):]
		ttl := staleTTL
		if ttl == 0 {
			// Records besides the answer may have a shorter TTL than the whole: 0 then.
			if left := binary.BigEndian.Uint32(at); left > h.age {
				ttl = left - h.age
			}
		}
		binary.BigEndian.PutUint32(at, ttl)
	}
	return dst
}
