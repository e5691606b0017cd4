package ebpf

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Answer is one hot answer: what tier 1 sends, taken apart.
type Answer struct {
	Name    []byte    // qname in wire form, any letter case
	Type    uint16    // qtype
	DO, CD  bool      // of the queries that it is for
	Flags   uint16    // the header's second word without RD, CD and AD
	AD      bool      // AD is set for clients that ask for it
	Open    bool      // for every client; otherwise for those of Clients.Ask
	Counts  [3]uint16 // records in the three sections, no OPT among them
	Records []byte    // the sections; compression pointers lead to the question or to names among them
	TTLs    []uint16  // offset in Records of each TTL
	Stored  uint32    // second that the TTLs count from
	Expires uint32    // second from which it is not given any more
	Refresh uint32    // second from which one query a second is passed, so that its shard sees that it is wanted; 0: none is
}

// The bounds of an answer.
const (
	MaxName    = 64  // octets of qname
	MaxRecords = 512 // octets of Records
	maxTTLs    = len(xdpBody{}.Ttl)
)

// Bits of a query and marks of an answer, as in c/layout.h.
const (
	bitDO      = 1
	bitCD      = 2
	markAD     = 1
	markOpen   = 2
	markBeside = 4
)

// Key returns under what a is filed.
func (p *Program) Key(a *Answer) Key { return keyOf(NameHash(p.seed, a.Name), a.Type, a.bits()) }

func (a *Answer) bits() (b uint8) {
	if a.DO {
		b |= bitDO
	}
	if a.CD {
		b |= bitCD
	}
	return b
}

// Fits tells whether a is within the bounds.
func (a *Answer) Fits() bool {
	n := len(a.Records)
	return len(a.Name) > 0 && len(a.Name) <= MaxName && n <= MaxRecords && (n == 0 || n >= 11) && len(a.TTLs) <= maxTTLs &&
		max(a.Counts[0], a.Counts[1], a.Counts[2]) <= 255
}

// Publish puts answers into the table, where they replace what is filed under the same keys. Those that do not
// fit, and those for which nothing colder can make room, are left out; n counts the others. generation is what
// Generation returned before the answers were looked up: if there was a flush since then, they are not given.
// now is the second on the clock of Options.Epoch.
func (p *Program) Publish(generation, now uint32, list []Answer) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range list {
		a := &list[i]
		if !a.Fits() {
			continue
		}
		p.serial++
		p.serial = max(p.serial, 1)
		e := a.entry(p.serial, generation)
		e.Key, e.Used = uint64(p.Key(a)), now
		at := p.table.place(e.Key, p.generation, now)
		if at < 0 {
			continue
		}
		if e.Marks&markBeside != 0 {
			b := a.body(p.serial)
			if err := p.objs.Bodies.Put(p.serial, &b); err != nil {
				return n, fmt.Errorf("publish hot answers: %w", err)
			}
		}
		p.table.write(at, &e)
		n++
	}
	return n, nil
}

// entry returns a as it stands in the map.
func (a *Answer) entry(serial, generation uint32) xdpAnswer {
	e := xdpAnswer{
		Serial: serial, Generation: generation, Stored: a.Stored, Expires: a.Expires, Refresh: a.Refresh,
		Flags: a.Flags, Type: bits.ReverseBytes16(a.Type), Counts: [3]uint8{uint8(a.Counts[0]), uint8(a.Counts[1]), uint8(a.Counts[2])}, Bits: a.bits(),
		Qlen: uint8(len(a.Name)), Length: uint16(len(a.Records)),
	}
	if a.Refresh == 0 {
		e.Refresh = a.Expires
	}
	if a.AD {
		e.Marks |= markAD
	}
	if a.Open {
		e.Marks |= markOpen
	}
	for i := 0; i < len(a.Name); i += 8 {
		var word [8]byte
		copy(word[:], a.Name[i:])
		binary.LittleEndian.PutUint64(e.Data[i:], lower8(binary.LittleEndian.Uint64(word[:])))
	}
	start := (len(a.Name) + 7) &^ 7
	if start+len(a.Records) > len(e.Data) || len(a.TTLs) > len(e.Ttl) {
		e.Marks |= markBeside
		return e
	}
	copy(e.Data[start:], a.Records)
	e.Ttls = uint8(len(a.TTLs))
	for i, off := range a.TTLs {
		e.Ttl[i] = uint8(off)
	}
	return e
}

// body returns the records of a, for the map of those that are too long for an entry.
func (a *Answer) body(serial uint32) (b xdpBody) {
	b.Serial = serial
	b.Ttls = uint16(len(a.TTLs))
	copy(b.Ttl[:], a.TTLs)
	copy(b.Data[:], a.Records)
	return b
}

// Retire removes answers.
func (p *Program) Retire(keys []Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range keys {
		if at := p.table.find(uint64(k)); at >= 0 {
			p.table.clear(at)
		}
	}
}

// Holds tells whether the table has a as it was published before, and would give it.
func (p *Program) Holds(a *Answer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.table.find(uint64(p.Key(a)))
	if at < 0 {
		return false
	}
	e := &p.table.slots[at]
	return e.Generation == p.generation && e.Expires == a.Expires
}

// Answers returns how many hot answers the table has, those that are not given any more included.
func (p *Program) Answers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.used
}

// Generation returns the generation of the answers that are given now.
func (p *Program) Generation() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.generation
}

// Flush begins a new generation: from now on no answer is given that was published before. It is one write,
// and it removes nothing.
func (p *Program) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	return p.objs.Generation.Set(p.generation)
}
