package hot

import (
	"heimdall/core/wire"
	"heimdall/ebpf"
)

// nominee is an answer to be published.
type nominee struct {
	at, end  int // its response in visitor.octets
	question int // length of header and question
	typ      wire.Type
	do, cd   bool
	ad       bool
	zone     bool   // out of a zone that is served here: for everybody, and its TTLs do not age
	ttl      uint32 // seconds left
	origTTL  uint32 // seconds
}

// answer takes a response apart for the kernel. prefetch is the percentage of the TTL at which the shard wants
// to be asked again.
func (n *nominee) answer(v *visitor, prefetch uint32) (a ebpf.Answer, ok bool) {
	msg := v.octets[n.at:n.end]
	a = ebpf.Answer{
		Name: msg[wire.HeaderLen : n.question-4], Type: uint16(n.typ), DO: n.do, CD: n.cd, Flags: wire.Flags(msg), AD: n.ad,
		Counts:  [3]uint16{uint16(wire.Count(msg, wire.Answer)), uint16(wire.Count(msg, wire.Authority)), uint16(wire.Count(msg, wire.Additional))},
		Records: msg[n.question:], Stored: v.now, Expires: v.now + n.ttl,
	}
	if n.zone {
		a.Open = true
		return a, a.Fits()
	}
	if prefetch > 0 {
		// The first second in which TTL*100 <= OrigTTL*prefetch, as the Engine has it.
		a.Refresh = a.Expires - uint32(uint64(n.origTTL)*uint64(prefetch)/100)
	}
	var r wire.Reader
	if !r.Reset(msg) {
		return a, false
	}
	first := len(v.ttls)
	for rr := (wire.RR{}); ; {
		if _, more := r.Next(&rr); !more {
			break
		}
		v.ttls = append(v.ttls, uint16(rr.Data-6-n.question))
	}
	a.TTLs = v.ttls[first:len(v.ttls):len(v.ttls)]
	return a, !r.Err() && a.Fits()
}
