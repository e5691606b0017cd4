package resolver

import "heimdall/core/dname"

// How long failures are cached, in seconds. RFC 9520, section 3.2: at least 1 s, at most 5 minutes, growing
// while the failure lasts. SetFailureTTL says where in between it ends.
const (
	minFailureTTL     = 1
	defaultFailureTTL = 5
	maxFailureTTL     = 300
)

// failing remembers which questions failed lately, to let them be tried less and less often. A
// direct-mapped table: a collision only makes the interval start anew.
type failing struct {
	slots [2048]failingSlot
	seed  uint64
	most  uint32 // seconds
}

type failingSlot struct {
	tag   uint32
	count uint8
	retry int64 // nanoseconds; not to be tried before
	until int64 // nanoseconds; forgotten after that
}

func newFailing(seed uint64) failing { return failing{seed: seed, most: defaultFailureTTL} }

func (f *failing) slot(hash uint64) (*failingSlot, uint32) {
	h := dname.Mix(hash ^ f.seed)
	return &f.slots[h%uint64(len(f.slots))], uint32(h>>32) | 1
}

// add counts a failure and returns for how many seconds it may be cached.
func (f *failing) add(hash uint64, now int64) uint32 {
	s, tag := f.slot(hash)
	if s.tag != tag || now >= s.until {
		*s = failingSlot{tag: tag}
	}
	ttl := min(uint32(defaultFailureTTL)<<s.count, f.most)
	s.count = min(s.count+1, 6)
	s.retry = now + int64(ttl)*1e9
	s.until = now + 2*int64(ttl)*1e9 + 60*1e9
	return ttl
}

// blocked says whether the failure of a question is still cached.
func (f *failing) blocked(hash uint64, now int64) bool {
	s, tag := f.slot(hash)
	return s.tag == tag && now < s.retry
}

// SetFailureTTL says for how many seconds failures are remembered at most, those on the way to an answer included. 0
// selects the default, 5; the bounds are those of RFC 9520, 1 and 300.
func (m *Machine) SetFailureTTL(seconds uint32) {
	if seconds == 0 {
		seconds = defaultFailureTTL
	}
	seconds = min(max(seconds, minFailureTTL), maxFailureTTL)
	if seconds < m.failing.most {
		clear(m.failing.slots[:])
	}
	m.failing.most = seconds
}

// doubt is for how many nanoseconds what may have been loss is believed to be a server's fault at first.
func (f *failing) doubt() int64 { return int64(f.most) * 1e9 }

// clear forgets the failures of a question that has an answer.
func (f *failing) clear(hash uint64) {
	if s, tag := f.slot(hash); s.tag == tag {
		*s = failingSlot{}
	}
}
