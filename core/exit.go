package core

import (
	"encoding/binary"

	"heimdall/core/wire"
)

// exit is where each response leaves, whoever made it and whether its client has waited or not: what counts, watches
// or limits responses stands here. msg is the response without OPT; what is returned is what its client gets: cut to
// the client's size, and with an OPT if the query had one. code is the extended error (RFC 8914): 0 without a text is
// none.
func exit[T string | []byte](e *Engine, msg []byte, a *asker, rcode wire.Rcode, code wire.EDE, text T) []byte {
	room := e.room(a)
	if !a.edns {
		return e.tally(cut(msg, room), rcode)
	}
	keepAlive := a.keepAlive && a.stream && e.KeepAlive > 0
	opt := wire.OPTLen
	if keepAlive {
		opt += keepAliveLen
	}
	msg = e.tally(cut(msg, room-opt), rcode)
	msg = wire.AppendOPT(msg, wire.OPT{UDPSize: e.UDPPayload, Rcode: rcode, DO: a.do})
	if keepAlive {
		var t [2]byte
		binary.BigEndian.PutUint16(t[:], e.KeepAlive)
		msg = wire.AppendOption(msg, wire.OptionKeepAlive, t[:])
	}
	if (code != wire.EDEOther || len(text) > 0) && len(msg)+extendedLen+len(text) <= room {
		msg = wire.AppendEDE(msg, code, text) // a courtesy, for which nothing else is cut
	}
	return msg
}

// cut truncates msg if it is longer than room.
func cut(msg []byte, room int) []byte {
	if len(msg) > room {
		return wire.Truncate(msg, room)
	}
	return msg
}

// tally counts a response.
func (e *Engine) tally(msg []byte, rcode wire.Rcode) []byte {
	if int(rcode) < len(e.count.Rcodes) {
		e.count.Rcodes[rcode]++
	}
	if wire.Flags(msg)&wire.FlagTC != 0 {
		e.count.Truncated++
	}
	return msg
}

// send has a response leave to a client whose request is being handled.
func send[T string | []byte](e *Engine, r *Request, msg []byte, rcode wire.Rcode, code wire.EDE, text T) stage {
	r.Response = exit(e, msg, &r.asker, rcode, code, text)
	r.Outcome = Send
	if e.Tap != nil {
		e.tapRequest(r, rcode, code)
	}
	return ended
}

// sendLarge is send for a message that was made in e.scratch.
func sendLarge[T string | []byte](e *Engine, r *Request, msg []byte, rcode wire.Rcode, code wire.EDE, text T) stage {
	send(e, r, msg, rcode, code, text)
	if !r.Stream {
		r.Response = append(r.Buf, r.Response...) // it was truncated to what fits
	}
	return ended
}

// reply has a response leave to client n, which has waited.
func reply[T string | []byte](e *Engine, n uint32, msg []byte, rcode wire.Rcode, code wire.EDE, text T) {
	w := e.waiters.At(n)
	msg = exit(e, msg, &w.asker, rcode, code, text)
	if e.Tap != nil {
		e.tapWaiter(w, msg, rcode, code)
	}
	e.performer.Reply(w.to, msg, false)
}

// maxOPT is the most octets that exit appends: an OPT with the keepalive option and an extended error.
const maxOPT = plainOPT + wire.MaxEDEText

// plainOPT is maxOPT except for the text of the extended error.
const plainOPT = wire.OPTLen + keepAliveLen + extendedLen

// Octets of the keepalive option, and of an extended error except for its text.
const keepAliveLen, extendedLen = 6, 6

// room returns the octets that a response to a may have.
func (e *Engine) room(a *asker) int {
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
