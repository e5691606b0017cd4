package ebpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
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
	bitDO      = 1
	bitCD      = 2
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
	return len(a.Name) > 0 && len(a.Name) <= MaxName && n <= MaxRecords && (n == 0 || n >= 11) && len(a.TTLs) <= maxTTLs
}

// ErrFull is returned by Publish when there is no room for more answers.
var ErrFull = errors.New("no room for more hot answers")

// batch is how many entries one system call reads or writes at most.
const batch = 1024

// Publish puts answers into the map, where they replace what is filed under the same keys. Those that do not
// fit are left out. generation is what Generation returned before the answers were looked up: if there was a
// flush since then, they are not given. n counts those of list that were dealt with before an error.
func (p *Program) Publish(generation uint32, list []Answer) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(list) > 0 {
		chunk := list[:min(len(list), batch)]
		done, err := p.publish(generation, chunk)
		n += done
		if err != nil {
			return n, err
		}
		list = list[len(chunk):]
	}
	return n, nil
}

func (p *Program) publish(generation uint32, list []Answer) (n int, err error) {
	p.keys, p.entries = p.keys[:0], p.entries[:0]
	var at []int // in list, of each entry
	for i := range list {
		a := &list[i]
		if !a.Fits() {
			continue
		}
		p.serial++
		e := a.entry(p.serial, generation)
		if e.Beside != 0 {
			b := a.body(p.serial)
			if err := p.objs.Bodies.Put(p.serial, &b); err != nil {
				return p.written(at, len(p.keys), full(err))
			}
		}
		p.keys = append(p.keys, p.Key(a))
		p.entries = append(p.entries, e)
		at = append(at, i)
	}
	if len(p.keys) == 0 {
		return len(list), nil
	}
	done, err := p.objs.Answers.BatchUpdate(p.keys, p.entries, nil)
	if err != nil {
		return p.written(at, done, full(err))
	}
	p.written(at, done, nil)
	return len(list), nil
}

// written notes the bodies of the first done entries of a batch, drops those of what they have replaced and of
// those that were not written, and returns how much of the list was dealt with.
func (p *Program) written(at []int, done int, err error) (int, error) {
	for i, k := range p.keys {
		e := &p.entries[i]
		if i >= done {
			if e.Beside != 0 {
				p.objs.Bodies.Delete(e.Serial)
			}
			continue
		}
		if old, ok := p.beside[k]; ok {
			p.objs.Bodies.Delete(old)
			delete(p.beside, k)
		}
		if e.Beside != 0 {
			p.beside[k] = e.Serial
		}
	}
	if done < len(at) {
		return at[done], err
	}
	return len(at), err
}

func full(err error) error {
	if errors.Is(err, unix.E2BIG) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.ENOMEM) {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return fmt.Errorf("publish hot answers: %w", err)
}

// entry returns a as it stands in the map.
func (a *Answer) entry(serial, generation uint32) xdpAnswer {
	e := xdpAnswer{
		Serial: serial, Generation: generation, Stored: a.Stored, Expires: a.Expires, Refresh: a.Refresh, Used: a.Stored,
		Flags: a.Flags, Type: bits.ReverseBytes16(a.Type), Counts: a.Counts, Bits: a.bits(),
		Qlen: uint8(len(a.Name)), Length: uint16(len(a.Records)),
	}
	if a.Refresh == 0 {
		e.Refresh = a.Expires
	}
	if a.AD {
		e.Ad = 1
	}
	if a.Open {
		e.Open = 1
	}
	for i := 0; i < len(a.Name); i += 8 {
		var word [8]byte
		copy(word[:], a.Name[i:])
		binary.LittleEndian.PutUint64(e.Data[i:], lower8(binary.LittleEndian.Uint64(word[:])))
	}
	start := (len(a.Name) + 7) &^ 7
	if start+len(a.Records) > len(e.Data) || len(a.TTLs) > len(e.Ttl) {
		e.Beside = 1
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
func (p *Program) Retire(keys []Key) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range keys {
		if serial, ok := p.beside[k]; ok {
			p.objs.Bodies.Delete(serial)
			delete(p.beside, k)
		}
	}
	for len(keys) > 0 {
		n, err := p.objs.Answers.BatchDelete(keys[:min(len(keys), batch)], nil)
		keys = keys[n:]
		switch {
		case errors.Is(err, ebpf.ErrKeyNotExist) && len(keys) > 0:
			keys = keys[1:] // the kernel stops at what is not there
		case err != nil && !errors.Is(err, ebpf.ErrKeyNotExist):
			return fmt.Errorf("retire hot answers: %w", err)
		case n == 0 && err == nil:
			return nil
		}
	}
	return nil
}

// Used calls fn with the second of the last response from each answer, the second of its publication if there
// was none. Answers that are published or retired meanwhile may be missed or met twice.
func (p *Program) Used(fn func(k Key, second uint32)) error {
	var cursor ebpf.MapBatchCursor
	keys, entries := make([]Key, batch), make([]xdpAnswer, batch)
	for {
		n, err := p.objs.Answers.BatchLookup(&cursor, keys, entries, nil)
		for i := range n {
			fn(keys[i], entries[i].Used)
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read hot answers: %w", err)
		}
	}
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
