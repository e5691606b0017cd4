package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// message is where responses are built.
type message struct {
	wire.Builder
	memory []byte
}

func newMessage() message { return message{memory: make([]byte, 0, wire.HeaderLen+wire.MaxLen)} }

// begin begins a response to q; false if not even the question fits.
func (b *message) begin(q *Question, flags uint16) bool {
	b.Reset(b.memory, wire.MaxLen)
	b.Header(0, wire.FlagQR|wire.FlagRA|flags)
	return b.Question(q.Name, q.Type, q.Class)
}

// write adds the records of a section to the message that is being built, except for those of the authority section
// that are written already; false if it got too long.
func (b *message) write(part, written known.Records, s wire.Section, q *Question) bool {
	for len(part) > 0 {
		if part.Section() != s {
			part = part.Skip()
			continue
		}
		rec, rest, _ := part.Next()
		part = rest
		if s == wire.Authority && len(written) > 0 && written.Has(&rec) {
			continue
		}
		if !q.DO && rec.Type != q.Type && q.Type != wire.TypeANY && isDNSSEC(rec.Type) {
			continue
		}
		if !b.RR(rec.Section, rec.Owner, rec.Type, rec.Class, rec.TTL, rec.RData) {
			return false
		}
	}
	return true
}

// writeServers adds the NS records of the closest delegation that is known. How long they are good for is
// not kept with them: their TTL is 0.
func (b *message) writeServers(name dname.Name, c wire.Class, from *known.Store, now uint32) {
	for n := name.Labels(); n > 0; n-- {
		value, ok := from.Get(known.Delegation, name.Suffix(n), wire.TypeNS, c, now)
		if !ok {
			continue
		}
		for server := range storedServers(value) {
			b.RR(wire.Authority, name.Suffix(n), wire.TypeNS, c, 0, server)
		}
		return
	}
}

// isDNSSEC says whether records of a type go only to clients that set DO (RFC 4035, section 3.2.1).
func isDNSSEC(t wire.Type) bool {
	return t == wire.TypeRRSIG || t == wire.TypeNSEC || t == wire.TypeNSEC3
}
