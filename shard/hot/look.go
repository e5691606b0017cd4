package hot

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/ebpf"
)

// Look is what the kernel does with a plain query for a question.
type Look struct {
	Running bool   // the program is attached somewhere; without it the rest is empty
	Answers bool   // it has an answer that it gives
	Open    bool   // to every client; otherwise to those that may use recursion
	TTL     uint32 // seconds that the answer is still given
}

// Look tells what the kernel has for a question. The name is in lower case.
func (t *Tier) Look(name dname.Name, typ wire.Type, do, cd bool) (l Look) {
	_ = t.use(func(p *ebpf.Program) error {
		l.Running = len(t.cards) > len(t.lost)
		given, ok := p.Published(&ebpf.Question{Name: name, Type: uint16(typ), DO: do, CD: cd})
		if now := t.second(); ok && given.Current && given.Expires > now {
			l.Answers, l.Open, l.TTL = true, given.Open, given.Expires-now
		}
		return nil
	})
	if !l.Running {
		return Look{}
	}
	return l
}
