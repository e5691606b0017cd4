package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// checked is how far a message matches the query that it claims to respond to.
type checked uint8

const (
	checkOK       checked = iota
	checkCase             // but for the letter case of the question
	notResponse           // QR is clear
	wrongOpcode           // it is no response to a query
	wrongQuestion         // the question is another one
)

// check compares a message whose ID and source are right with the query of task t that it claims to respond to.
func (x *exchange) check(t *task, msg []byte) checked {
	flags := wire.Flags(msg)
	if flags&wire.FlagQR == 0 {
		return notResponse
	}
	if flags&wire.OpcodeMask != 0 {
		return wrongOpcode
	}
	var asked, got [dname.MaxLen]byte
	name, next, ok := dname.Unpack(got[:0], msg, wire.HeaderLen)
	whole := ok && len(msg)-next >= 4
	if flags&wire.FlagTC != 0 && !x.stream && (!whole || wire.Count(msg, wire.Question) == 0) {
		return checkOK // Cut down to less than the question: all that is taken from it is to ask over TCP.
	}
	if len(msg) == wire.HeaderLen && wire.Count(msg, wire.Question) == 0 {
		switch wire.RcodeOf(flags) { // RFC 6891, section 7: a server that could not read the query may leave it out.
		case wire.RcodeFormErr, wire.RcodeNotImp:
			return checkOK
		}
	}
	if !whole || wire.Count(msg, wire.Question) != 1 ||
		wire.Type(uint16(msg[next])<<8|uint16(msg[next+1])) != x.typ ||
		wire.Class(uint16(msg[next+2])<<8|uint16(msg[next+3])) != t.class {
		return wrongQuestion
	}
	want := x.question(t, &asked)
	if string(want) == string(name) || x.caseOf == 0 && dname.Equal(want, name) {
		return checkOK
	}
	if dname.Equal(want, name) {
		return checkCase
	}
	return wrongQuestion
}

// mismatch counts a message that does not match its query.
func (s *Stats) mismatch(why checked) {
	switch why {
	case checkCase:
		s.WrongCase++
	case notResponse:
		s.NotResponse++
	case wrongOpcode:
		s.WrongOpcode++
	case wrongQuestion:
		s.WrongQuestion++
	}
}
