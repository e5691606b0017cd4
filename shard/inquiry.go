package shard

import (
	"slices"

	"heimdall/core"
)

// Receiver takes responses on their way to another thread. It is called on the shard's thread: it must neither wait nor
// keep msg. With more, others follow, and it may be Full.
type Receiver func(msg []byte, more bool) core.Room

// inquiries bounds the questions from inside that are under way in one shard: those of operators, and one of the trust
// anchors.
const inquiries = 64

// Resolve asks a question from inside; see core.Engine.Resolve. The response goes to a Receiver. False if it cannot be
// begun now: the Receiver is not called. A shard that ends in a panic does not call it either. Only for commands.
func (s *Shard) Resolve(q *core.Inquiry, to Receiver) bool {
	i := slices.IndexFunc(s.receivers[:], func(r Receiver) bool { return r == nil })
	if i < 0 {
		return false
	}
	name := s.targets.hold(target{kind: elsewhere, port: int16(i)})
	if name == 0 {
		return false
	}
	s.receivers[i] = to
	if s.engine.Resolve(s.now, q, name) {
		return true
	}
	s.end(name, s.targets.find(name))
	return false
}

// end frees a target.
func (s *Shard) end(name core.Target, t *target) {
	if t.kind == elsewhere {
		s.receivers[t.port] = nil
	}
	s.targets.end(name)
}
