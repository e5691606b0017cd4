package core

import (
	"encoding/binary"

	"heimdall/core/wire"
)

// maxOPT is the most octets that finish appends: an OPT with the keepalive option and an extended error.
const maxOPT = plainOPT + wire.MaxEDEText

// plainOPT is maxOPT but for the text of the extended error.
const plainOPT = wire.OPTLen + 6 + 6

// limit returns the octets that a response to a may have.
func (e *Engine) limit(a *asker) int {
	switch {
	case a.stream:
		return maxMessage
	case a.edns:
		return int(min(max(a.udpSize, wire.MinUDPSize), e.UDPPayload))
	}
	return wire.MinUDPSize
}

// flags returns the flags of a response: RD and CD are the query's own (RFC 1035, 4.1.1; RFC 6840, 5.6).
func (e *Engine) flags(a *asker) uint16 {
	f := wire.FlagQR | a.flags&(wire.FlagRD|wire.FlagCD)
	if e.Recursion && !a.stranger {
		f |= wire.FlagRA
	}
	return f
}

// answerFlags is flags for a response with an answer. AA is about the first name of the answer section (RFC 1035,
// section 4.1.1), even if the names that its alias leads to are not ours.
func (e *Engine) answerFlags(a *asker, rcode wire.Rcode) uint16 {
	f := e.flags(a)
	if a.own && (rcode == wire.RcodeNoError || rcode == wire.RcodeNXDomain) {
		f |= wire.FlagAA
	}
	return f
}

// wantsAD tells whether the AD bit means something to the client (RFC 6840, section 5.7).
func (a *asker) wantsAD() bool { return a.do || a.flags&wire.FlagAD != 0 }

// finish makes msg, a response without OPT, fit for its client: it truncates it to the client's size, and
// appends an OPT if the query had one, with the extended error if there is one: code 0 without a text is none.
func (e *Engine) finish(msg []byte, a *asker, rcode wire.Rcode, code wire.EDE, text string) []byte {
	return finish(e, msg, a, rcode, code, text)
}

// finish is Engine.finish with the text in either form.
func finish[T string | []byte](e *Engine, msg []byte, a *asker, rcode wire.Rcode, code wire.EDE, text T) []byte {
	limit := e.limit(a)
	if !a.edns {
		if len(msg) > limit {
			msg = e.truncate(msg, limit)
		}
		return msg
	}
	need := wire.OPTLen
	keepAlive := a.stream && a.keepAlive && e.KeepAlive > 0
	if keepAlive {
		need += 6
	}
	extended := code != wire.EDEOther || len(text) > 0
	if len(msg)+need > limit {
		msg = e.truncate(msg, limit-need)
	}
	msg = wire.AppendOPT(msg, wire.OPT{UDPSize: e.UDPPayload, Rcode: rcode, DO: a.do})
	if keepAlive {
		var t [2]byte
		binary.BigEndian.PutUint16(t[:], e.KeepAlive)
		msg = wire.AppendOption(msg, wire.OptionKeepAlive, t[:])
	}
	if extended && len(msg)+6+len(text) <= limit {
		msg = wire.AppendEDE(msg, code, text) // a courtesy, for which nothing else is cut
	}
	return msg
}

func (e *Engine) truncate(msg []byte, limit int) []byte {
	msg = wire.Truncate(msg, limit)
	if wire.Flags(msg)&wire.FlagTC != 0 {
		e.count.Truncated++
	}
	return msg
}

// errorTo appends an error response to q.
func (e *Engine) errorTo(dst []byte, q *wire.Query, a *asker, rcode wire.Rcode, code wire.EDE, text string) []byte {
	dst = wire.AppendError(dst, q, rcode&15, e.flags(a)&wire.FlagRA|a.flags&wire.FlagCD)
	e.tally(rcode)
	return e.finish(dst, a, rcode, code, text)
}

func (e *Engine) tally(rcode wire.Rcode) {
	if int(rcode) < len(e.count.Rcodes) {
		e.count.Rcodes[rcode]++
	}
}
