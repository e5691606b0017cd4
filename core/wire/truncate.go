package wire

import (
	"bytes"

	"heimdall/core/dname"
)

// Truncate cuts msg to whole RRsets that fit in limit octets, in place, and returns what is left. Records of
// an RRset are taken to stand together. msg has no OPT: reserve room for it in limit.
//
// RFC 2181, section 9: TC is set when the answer or authority section was cut, not when only additional
// records were left out, unless they are glue that a referral cannot do without (RFC 9471). Where msg is
// malformed it counts as cut.
func Truncate(msg []byte, limit int) []byte {
	if len(msg) <= limit || len(msg) < HeaderLen {
		return msg
	}
	var r Reader
	if !r.Reset(msg) || r.off > limit {
		return cutTo(msg, HeaderLen, [4]int{}, true)
	}
	var (
		rr, prev RR
		last     = Question // section of prev
		read     = [4]int{Question: Count(msg, Question)}
		kept     = read  // read as it was where the present RRset began
		end      = r.off // that place
	)
	for {
		s, ok := r.Next(&rr)
		if !ok {
			return cutTo(msg, end, kept, true)
		}
		if s != last || !sameRRset(msg, &prev, &rr) {
			end, kept = rr.Start, read
		}
		if rr.End > limit {
			return cutTo(msg, end, kept, s != Additional || losesGlue(msg, end))
		}
		read[s]++
		last, prev = s, rr
	}
}

// cutTo shortens msg to end octets, writes the counts, and sets TC if tc.
func cutTo(msg []byte, end int, counts [4]int, tc bool) []byte {
	for s, n := range counts {
		SetCount(msg, Section(s), n)
	}
	if tc {
		SetFlags(msg, Flags(msg)|FlagTC)
	}
	return msg[:end]
}

// losesGlue reports whether msg is a referral, and an address record that stands at end or later is of a
// server inside the zone that it refers to (RFC 9471, section 2.1).
func losesGlue(msg []byte, end int) bool {
	if Count(msg, Answer) != 0 || Flags(msg)&FlagAA != 0 {
		return false
	}
	var (
		r                 Reader
		rr                RR
		zoneBuf, ownerBuf [dname.MaxLen]byte
		zone              []byte // owner of the first NS record in the authority section
	)
	r.Reset(msg) // has succeeded before
	for s, ok := r.Next(&rr); ok; s, ok = r.Next(&rr) {
		switch {
		case s == Authority && rr.Type == TypeNS && zone == nil:
			zone, _, _ = dname.Unpack(zoneBuf[:0], msg, rr.Owner)
		case s == Additional && rr.Start >= end && (rr.Type == TypeA || rr.Type == TypeAAAA):
			owner, _, ok := dname.Unpack(ownerBuf[:0], msg, rr.Owner)
			if ok && dname.Name(owner).In(zone) {
				return true
			}
		}
	}
	return false
}

// sameRRset reports whether two records of a section belong to one RRset.
func sameRRset(msg []byte, a, b *RR) bool {
	if a.Type != b.Type || a.Class != b.Class {
		return false
	}
	// Mostly both owners are the same pointer.
	if bytes.Equal(msg[a.Start:a.Data-rrFixedLen], msg[b.Start:b.Data-rrFixedLen]) {
		return true
	}
	var x, y [dname.MaxLen]byte
	m, _, ok1 := dname.Unpack(x[:0], msg, a.Owner)
	n, _, ok2 := dname.Unpack(y[:0], msg, b.Owner)
	return ok1 && ok2 && dname.Equal(m, n)
}
