package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// finding is what a step has found out about the present name of a task: out of a response, or out of what is known. It
// is handed from stage to stage, and nobody but who holds it changes it.
type finding struct {
	out     outcome
	rcode   wire.Rcode
	records known.Records // what may be believed
	target  dname.Name    // where the chain of aliases in records ends
	child   dname.Name    // of outReferral: the zone that it leads to, borrowed from the response

	referred bool // the response has no answer and no SOA, and names other servers
	upward   bool // and those of the root among them

	name   dname.Name // that it is about
	source int32      // server, or fromKnown or fromReferral
	rank   known.Rank // of the records; 0: that of those which are known
	do     bool       // it was asked for with DO
	chain  bool       // it may have several aliases

	buf *[dname.MaxLen]byte // of target
}

func newFinding() *finding { return &finding{buf: new([dname.MaxLen]byte)} }

// Where a finding comes from, besides the index of a server.
const (
	fromKnown    int32 = -1 // what is known already
	fromReferral int32 = -2 // what the parent said along with a referral
)

// reset makes f empty. Its memory stays.
func (f *finding) reset() { *f = finding{records: f.records[:0], buf: f.buf} }

// setTarget copies name, which may be the target itself.
func (f *finding) setTarget(name dname.Name) { f.target = append(f.buf[:0], name...) }

// setAlias makes the RDATA of a CNAME record the target.
func (f *finding) setAlias(rdata []byte) {
	f.setTarget(rdata)
	lower(f.target)
}

// findings are those not in use. Steps nest, since a sub-task begins where it is needed: who takes a finding gives it
// back before its caller goes on, the last one taken first.
type findings struct {
	list  []*finding
	taken int
}

// maxFindings is how many findings are kept for the next use. Steps seldom nest deeper.
const maxFindings = 8

func (p *findings) take() *finding {
	if p.taken == len(p.list) {
		p.list = append(p.list, newFinding())
	}
	f := p.list[p.taken]
	p.taken++
	f.reset()
	return f
}

// give takes back the finding that was taken last.
func (p *findings) give() {
	p.taken--
	f := p.list[p.taken]
	if f.records = trim(f.records, keptOctets); p.taken >= maxFindings {
		p.list[p.taken] = nil // lets go of it
		p.list = p.list[:p.taken]
	}
}
