package shard

import (
	"math/rand/v2"
	"time"

	"heimdall/core"
)

// Sampled is a query that a shard has noted, for a look at who asks for what.
type Sampled struct {
	Client [16]byte // IPv4 as ::ffff:a.b.c.d
	Weight uint32   // queries that it stands for: those since the one noted before
	Len    uint16
	Msg    [maxSampled]byte // the begin of the message, Len octets
}

// maxSampled is how many octets of a message are noted: a header, and the longest question.
const maxSampled = 12 + 255 + 4

// Bounds of what is noted.
const (
	// noteEvery is the time between two queries that are noted, in nanoseconds: 128 a second.
	noteEvery = int64(time.Second / 128)
	// maxSamples is how many are noted until they are taken: those of 8 seconds, in 300 KiB.
	maxSamples = 1024
)

// samples is what a shard has noted. A flood of queries costs no more than few: which ones are noted is a matter of time.
type samples struct {
	list   []Sampled
	weight uint32
	next   int64 // ns on the shard's clock: when the next one is noted
}

// Sample begins or ends the noting of queries, and returns what was noted since it was called last. Only for commands that
// run on the shard's thread.
func (s *Shard) Sample(on bool) (list []Sampled) {
	if s.samples != nil {
		list = append(list, s.samples.list...)
	}
	switch {
	case !on:
		s.samples = nil
	case s.samples == nil:
		s.samples = &samples{list: make([]Sampled, 0, maxSamples)}
	default:
		s.samples.list = s.samples.list[:0]
	}
	return list
}

// note notes one of the requests of a batch, if it is time to.
func (p *samples) note(now int64, reqs []core.Request) {
	p.weight += uint32(len(reqs))
	if now < p.next || len(reqs) == 0 || len(p.list) == cap(p.list) {
		return
	}
	p.next = now + noteEvery
	r := &reqs[rand.IntN(len(reqs))]
	p.list = p.list[:len(p.list)+1]
	n := &p.list[len(p.list)-1]
	n.Client, n.Weight = r.Client, p.weight
	n.Len = uint16(copy(n.Msg[:], r.Msg))
	p.weight = 0
}
