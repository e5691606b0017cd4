package policy

import (
	"net/netip"
)

// LimitOptions say who may ask, and how often. The zero value limits nobody.
type LimitOptions struct {
	PerSecond uint32 // queries of a client; 0: no limit
	Burst     uint32 // queries that may come at once; at least what comes in 10 ms, as time stands still within a batch
	Slip      uint32 // of so many queries above the rate one is to be answered with TC; 0: none
	IPv4Bits  int    // leading bits of an address that make a client, up to 32
	IPv6Bits  int    // up to 128
	Exempt    []netip.Prefix
	Deny      []netip.Prefix
	Seed      uint64 // random and secret
}

// Limiter tells for each message whether its client may ask now. Clients have token buckets, each told as one
// number: the time at which the next query is due at the full rate (the generic cell rate algorithm, ITU-T
// I.371), as the XDP program does it. There is room for limitBuckets of them. Of the four that a new client
// could replace, the one that owes least does make room: whoever asks too much is forgotten last, and a client
// that has kept to the rate loses nothing.
//
// A nil Limiter lets everybody ask. Not safe for concurrent use; owned by one shard.
type Limiter struct {
	denied   *ACL // nil: nobody
	exempt   *ACL
	group    grouping
	interval int64 // ns from one query to the next at the full rate
	burst    int64 // ns by which a client may be ahead of that
	slip     uint32
	buckets  *[limitSets]limitSet // nil: no limit
	seed     uint64
	rnd      uint64
}

const (
	// limitSets is the number of sets of buckets, a power of two. With their four buckets they hold as many
	// clients as the XDP program's table.
	limitSets = 1 << 14
	// leastBurst in ns is what a client may always be ahead of its rate.
	leastBurst = 10e6
)

// limitSet is four buckets in one cache line.
type limitSet [4]limitBucket

// limitBucket is that of the client with a hash, which stands for its prefix: with a secret seed, two that meet
// are an accident of one in 2^64. A bucket that is due in the past is a full one, and so is the zero value.
type limitBucket struct {
	hash uint64
	due  int64 // ns
}

// Admission is what may become of a message.
type Admission uint8

const (
	Admitted Admission = iota
	Denied             // drop: the client is in LimitOptions.Deny
	Limited            // drop: above the rate
	Slipped            // above the rate: answer with TC, so that a real client comes back over TCP
)

// NewLimiter makes a Limiter, or nil if nobody is limited. It allocates; whoever owns a Limiter has another
// thread make its successor, which then takes over its buckets.
func NewLimiter(o LimitOptions) *Limiter {
	if o.PerSecond == 0 && len(o.Deny) == 0 {
		return nil
	}
	l := &Limiter{group: newGrouping(o.IPv4Bits, o.IPv6Bits), slip: o.Slip, seed: o.Seed, rnd: o.Seed}
	if len(o.Deny) > 0 {
		l.denied = NewACL(o.Deny)
	}
	if o.PerSecond > 0 {
		if len(o.Exempt) > 0 {
			l.exempt = NewACL(o.Exempt)
		}
		l.interval = max(1e9/int64(o.PerSecond), 1)
		l.burst = max(l.interval*(int64(max(o.Burst, 1))-1), leastBurst)
		l.buckets = new([limitSets]limitSet)
	}
	return l
}

// TakeOver gives l the buckets of old, which is of no use afterwards: a change of the rate forgives nobody.
func (l *Limiter) TakeOver(old *Limiter) {
	if l == nil || old == nil || l.buckets == nil || old.buckets == nil {
		return
	}
	l.buckets, l.seed = old.buckets, old.seed
}

// Admit takes a token from the bucket of a client, whose address is in 16-octet form, at the time now in
// nanoseconds. Messages of streams are not limited: their clients wait for each response. It never allocates.
func (l *Limiter) Admit(now int64, client [16]byte, stream bool) Admission {
	if l == nil {
		return Admitted
	}
	addr := netip.AddrFrom16(client)
	if l.denied != nil && l.denied.Contains(addr) {
		return Denied
	}
	if l.buckets == nil || stream || l.exempt != nil && l.exempt.Contains(addr) {
		return Admitted
	}
	if l.take(now, l.group.of(addr).hash(l.seed)) {
		return Admitted
	}
	if l.slip == 0 {
		return Limited
	}
	// One of slip by lot: who counts along cannot choose which. The multiplier is Knuth's, of MMIX.
	l.rnd = l.rnd*6364136223846793005 + 1442695040888963407
	if uint32(l.rnd>>32)%l.slip > 0 {
		return Limited
	}
	return Slipped
}

// Look tells what Admit would, and leaves everything as it was.
func (l *Limiter) Look(now int64, client [16]byte, stream bool) Admission {
	if l == nil || l.buckets == nil {
		return l.Admit(now, client, stream)
	}
	set := &l.buckets[l.group.of(netip.AddrFrom16(client)).hash(l.seed)%limitSets]
	before, rnd := *set, l.rnd
	defer func() { *set, l.rnd = before, rnd }()
	return l.Admit(now, client, stream)
}

// Why tells which prefix of LimitOptions.Deny, or of Exempt, decides about a client; one that is not valid: none does.
func (l *Limiter) Why(client netip.Addr) (denied, exempt netip.Prefix) {
	if l != nil && l.denied != nil {
		denied = l.denied.Match(client)
	}
	if l != nil && l.exempt != nil {
		exempt = l.exempt.Match(client)
	}
	return denied, exempt
}

// take takes a token out of the bucket with a hash; false: there is none.
func (l *Limiter) take(now int64, hash uint64) bool {
	set := &l.buckets[hash%limitSets]
	b := &set[0]
	for i := range set {
		if set[i].hash == hash {
			b = &set[i]
			break
		}
		if set[i].due < b.due {
			b = &set[i]
		}
	}
	if b.hash != hash {
		*b = limitBucket{hash: hash, due: now}
	}
	due := max(b.due, now)
	if due-now > l.burst {
		return false
	}
	b.due = due + l.interval
	return true
}
