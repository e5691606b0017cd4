package wire

import (
	"encoding/binary"
	"fmt"
	"strings"

	"heimdall/core/dname"
)

// The readable twins of the parsers: a cursor that takes one field at a time and remembers when it ran out.

type slowCursor struct {
	b   []byte
	off int
	bad bool
}

func (c *slowCursor) octets(n int) []byte {
	if c.bad || n > len(c.b)-c.off {
		c.bad = true
		return nil
	}
	c.off += n
	return c.b[c.off-n : c.off]
}

func (c *slowCursor) uint(octets int) uint32 {
	var v uint32
	for _, o := range c.octets(octets) {
		v = v<<8 | uint32(o)
	}
	return v
}

// name takes a name and returns its octets; a pointer, where allowed, ends it.
func (c *slowCursor) name(pointers bool) []byte {
	start := c.off
	for !c.bad {
		length := int(c.uint(1))
		if c.off-start > 255 {
			c.bad = true
		}
		if length >= 0xC0 && pointers {
			c.octets(1)
			break
		}
		if length > 63 {
			c.bad = true
		}
		c.octets(length)
		if length == 0 {
			break
		}
	}
	if c.bad {
		return nil
	}
	return c.b[start:c.off]
}

// slowQuery is Query.Parse.
func slowQuery(msg []byte) (Query, Verdict) {
	q := Query{Msg: msg, UDPSize: 512}
	c := slowCursor{b: msg}
	q.ID, q.Flags = uint16(c.uint(2)), uint16(c.uint(2))
	qd, an, ns, ar := c.uint(2), c.uint(2), c.uint(2), c.uint(2)
	if c.bad {
		return Query{Msg: msg, UDPSize: 512}, QueryShort
	}
	q.Opcode = Opcode(q.Flags >> 11 & 15)
	if q.Flags>>15 == 1 {
		return q, QueryResponse
	}
	if q.Opcode != 0 {
		return q, QueryNotImp
	}
	if qd == 0 {
		return q, QueryFormErr
	}
	name := c.name(false)
	qtype, qclass := Type(c.uint(2)), Class(c.uint(2))
	if c.bad {
		return q, QueryFormErr
	}
	q.Name, q.Type, q.Class, q.End = name, qtype, qclass, c.off
	if qd > 1 || an > 0 || ns > 0 {
		return q, QueryFormErr
	}
	for range ar {
		owner := c.name(true)
		t, class, ttl := Type(c.uint(2)), uint16(c.uint(2)), c.uint(4)
		data := c.octets(int(c.uint(2)))
		if c.bad {
			return q, QueryFormErr
		}
		if t != TypeOPT {
			continue
		}
		if q.EDNS || len(owner) != 1 {
			return q, QueryFormErr
		}
		q.EDNS = true
		q.UDPSize = max(512, class)
		q.Version = uint8(ttl >> 16)
		q.DO = ttl>>15&1 == 1
		if q.Version > 0 {
			continue
		}
		o := slowCursor{b: data}
		for o.off < len(data) {
			code := o.uint(2)
			value := o.octets(int(o.uint(2)))
			n := len(value)
			if o.bad || code == 10 && n != 8 && (n < 16 || n > 40) || code == 11 && n != 0 && n != 2 {
				return q, QueryFormErr
			}
			switch code {
			case 10:
				if q.Cookie == nil {
					q.Cookie = value
				}
			case 11:
				q.KeepAlive = true
			}
		}
	}
	if c.off != len(msg) {
		return q, QueryFormErr
	}
	if q.Version > 0 {
		return q, QueryBadVers
	}
	return q, QueryOK
}

// slowRecord is a record with its section.
type slowRecord struct {
	RR
	section Section
}

// slowRecords reads a message as Reader does. ok is false if the header or a question cannot be read, bad is
// true if the message is malformed behind them.
func slowRecords(msg []byte) (records []slowRecord, end int, bad, ok bool) {
	c := slowCursor{b: msg}
	c.octets(4)
	var counts [4]int
	for s := range counts {
		counts[s] = int(c.uint(2))
	}
	for range counts[Question] {
		c.name(true)
		c.octets(4)
		if c.bad {
			return nil, 0, true, false
		}
	}
	if c.bad {
		return nil, 0, true, false
	}
	end = c.off
	for s := Answer; s <= Additional; s++ {
		for range counts[s] {
			r := slowRecord{section: s}
			r.Start, r.Owner = c.off, c.off
			c.name(true)
			r.Type, r.Class, r.TTL = Type(c.uint(2)), Class(c.uint(2)), c.uint(4)
			if r.TTL >= 1<<31 && r.Type != TypeOPT {
				r.TTL = 0
			}
			size := int(c.uint(2))
			r.Data = c.off
			c.octets(size)
			r.End = c.off
			if c.bad {
				return records, end, true, true
			}
			records = append(records, r)
		}
	}
	return records, end, c.off != len(msg), true
}

// describe writes the records of a message as text, one a line, names in lower case: what must survive
// building it anew.
func describe(msg []byte) (string, bool) {
	records, _, bad, ok := slowRecords(msg)
	var b strings.Builder
	for _, r := range records {
		owner, _, ok1 := dname.Unpack(nil, msg, r.Owner)
		rdata, ok2 := UnpackRData(nil, msg, &r.RR)
		if !ok1 || !ok2 {
			return "", false
		}
		fmt.Fprintf(&b, "%v %s %v %v %d %x\n", r.section, dname.AppendLower(nil, owner), r.Type, r.Class, r.TTL,
			CanonicalRData(nil, r.Type, rdata))
	}
	return b.String(), ok && !bad
}

// appendRR appends an uncompressed record and counts it.
func appendRR(msg []byte, s Section, owner dname.Name, t Type, c Class, ttl uint32, rdata []byte) []byte {
	SetCount(msg, s, Count(msg, s)+1)
	msg = append(msg, owner...)
	msg = binary.BigEndian.AppendUint16(msg, uint16(t))
	msg = binary.BigEndian.AppendUint16(msg, uint16(c))
	msg = binary.BigEndian.AppendUint32(msg, ttl)
	msg = binary.BigEndian.AppendUint16(msg, uint16(len(rdata)))
	return append(msg, rdata...)
}
