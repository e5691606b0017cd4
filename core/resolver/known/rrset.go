package known

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// Rank is the trust in records (RFC 2181, section 5.4.1), as far as they are kept: additional data and what stands in the
// authority section of answers is not.
type Rank uint8

const (
	Unranked      Rank = iota // as what is there already
	NonAuthAnswer             // answer section, AA clear
	AuthAnswer                // answer section, AA set, and negative answers
)

// Set is an RRset, or a denial: records of one type at a name, or the proof that there are none. A denied type has no
// records in the answer section; a denied name stands under type 0.
type Set struct {
	Records Records
	Rcode   wire.Rcode
	Rank    Rank
	Status  dnssec.Status
	DO      bool   // was asked for with DO: has the signatures there are
	TTL     uint32 // seconds; 0: only for the task that asked
}

// Layout of an RRset entry: 0 rank, 1 flags, 2 RCODE, 3 second it was stored (4 octets), 7 records.
const (
	setHeader   = 7
	flagDO      = 1
	flagBrief   = 2 // TTL 0
	statusShift = 4 // from here on: what validation found out
)

// set finds the entry of a Set.
func (s *Store) set(name dname.Name, t wire.Type, c wire.Class, now uint32) ([]byte, bool) {
	value, ok := s.Get(RRset, name, t, c, now)
	return value, ok && len(value) >= setHeader
}

// View returns the records of a set, whoever they were meant for and with the TTLs that they had.
func (s *Store) View(name dname.Name, t wire.Type, c wire.Class, now uint32) (Records, bool) {
	value, ok := s.set(name, t, c, now)
	if !ok {
		return nil, false
	}
	return value[setHeader:], true
}

// Since is View of a set that was stored no earlier than then.
func (s *Store) Since(name dname.Name, t wire.Type, c wire.Class, then, now uint32) Records {
	if value, ok := s.set(name, t, c, now); ok && binary.BigEndian.Uint32(value[3:]) >= then {
		return value[setHeader:]
	}
	return nil
}

// Recall appends the records of a set to dst, their TTLs lowered by the time that has passed. It fails if the set lacks
// signatures and the caller needs them, with do, or was meant for the task that asked only, unless brief is set.
func (s *Store) Recall(dst Records, name dname.Name, t wire.Type, c wire.Class, do, brief bool, now uint32) (out Records, code wire.Rcode, status dnssec.Status, ok bool) {
	value, ok := s.set(name, t, c, now)
	if !ok || do && value[1]&flagDO == 0 || !brief && value[1]&flagBrief != 0 {
		return dst, 0, 0, false
	}
	age := now - binary.BigEndian.Uint32(value[3:])
	start := len(dst)
	dst = append(dst, value[setHeader:]...)
	for rest := dst[start:]; len(rest) > 0; {
		rec, next, _ := rest.Next()
		rest.setTTL(rec.TTL - min(age, rec.TTL))
		rest = next
	}
	return dst, wire.Rcode(value[2]), dnssec.Status(value[1] >> statusShift), true
}

// Add keeps a set, unless what is there is trusted more: what has been validated gives way only to what has been validated
// as well, and otherwise a rank to the same or a higher one.
func (s *Store) Add(name dname.Name, t wire.Type, c wire.Class, set *Set, now uint32) {
	rank, ttl, flags := set.Rank, set.TTL, byte(set.Status)<<statusShift
	if set.DO {
		flags |= flagDO
	}
	if ttl == 0 {
		ttl, flags = 1, flags|flagBrief
	}
	if old, ok := s.set(name, t, c, now); ok {
		if rank == Unranked {
			rank = Rank(old[0])
		}
		if checked := old[1]>>statusShift != 0; checked && set.Status == dnssec.Unchecked ||
			checked == (set.Status != dnssec.Unchecked) && Rank(old[0]) > rank && (old[1]&flagDO != 0 || !set.DO) {
			return
		}
	}
	s.value = append(s.value[:0], byte(rank), flags, byte(set.Rcode))
	s.value = binary.BigEndian.AppendUint32(s.value, now)
	s.value = append(s.value, set.Records...)
	s.Put(RRset, name, t, c, s.value, ttl, now)
}

// Outdate forgets a set that what a server says now, with such a status, cannot be true beside.
func (s *Store) Outdate(name dname.Name, t wire.Type, c wire.Class, status dnssec.Status, now uint32) {
	if old, ok := s.set(name, t, c, now); ok && (old[1]>>statusShift == 0 || status != dnssec.Unchecked) {
		s.Forget(RRset, name, t, c)
	}
}

// Inspect tells what is known of a set: the trust in it, what validation has found, and how many seconds ago it was stored.
func (s *Store) Inspect(name dname.Name, t wire.Type, c wire.Class, now uint32) (Rank, dnssec.Status, uint32, bool) {
	value, ok := s.set(name, t, c, now)
	if !ok {
		return 0, 0, 0, false
	}
	return Rank(value[0]), dnssec.Status(value[1] >> statusShift), now - binary.BigEndian.Uint32(value[3:]), true
}

// String says in words where records are from.
func (r Rank) String() string {
	switch r {
	case NonAuthAnswer:
		return "the answer of a server that is not authoritative"
	case AuthAnswer:
		return "the answer of an authoritative server"
	}
	return "a server's answer"
}
