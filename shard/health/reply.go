package health

import (
	"heimdall/core/wire"
)

// reply is what a shard has answered to a probe.
type reply struct {
	rcode wire.Rcode
	stale bool   // RFC 8767: its servers do not answer
	why   string // there is none
}

// readReply reads a response.
func readReply(msg []byte) (r reply) {
	r.rcode = wire.RcodeOf(wire.Flags(msg))
	r.stale = isStale(msg)
	return r
}

// isStale tells whether a response says that it is of earlier (RFC 8914, sections 4.4 and 4.20).
func isStale(msg []byte) bool {
	var r wire.Reader
	var rr wire.RR
	if !r.Reset(msg) {
		return false
	}
	for _, ok := r.Next(&rr); ok; _, ok = r.Next(&rr) {
		if rr.Type != wire.TypeOPT {
			continue
		}
		// RFC 6891, section 6.1.2: code, length and value of each option.
		for opt := msg[rr.Data:rr.End]; len(opt) >= 4; {
			code, n := int(opt[0])<<8|int(opt[1]), int(opt[2])<<8|int(opt[3])
			if opt = opt[4:]; n > len(opt) {
				break
			}
			if code == wire.OptionEDE && n >= 2 {
				ede := wire.EDE(int(opt[0])<<8 | int(opt[1]))
				if ede == wire.EDEStaleAnswer || ede == wire.EDEStaleNXDomain {
					return true
				}
			}
			opt = opt[n:]
		}
	}
	return false
}

// fault says what is wrong with a reply; "": nothing. That a name does not exist is an answer.
func (r *reply) fault() string {
	switch {
	case r.why != "":
		return r.why
	case r.rcode != wire.RcodeNoError && r.rcode != wire.RcodeNXDomain:
		return "it answers " + r.rcode.String()
	case r.stale:
		return "it has only a stale answer"
	}
	return ""
}
