package resolver

import (
	"encoding/binary"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// knowledge is what iteration has learned, in a store of its own. Two kinds of entries never mix, so that
// nothing a server said beside the point can become an answer:
//
//	delegation  zone          the parent's NS names and glue, good for finding servers and nothing else
//	own         zone          likewise those of the zone itself, for when the parent's lead nowhere
//	RRset       name, type    what a server answered for a zone it was asked as a server of
//	referral    zone          DS records of a referral or their denial, good for nothing but the chain of trust
//
// A denied type is an RRset without records in the answer section; a denied name has type 0.
type knowledge struct {
	store *cache.Store
	seed  uint64
	key   []byte
	value []byte

	purges []func(entryKind, dname.Name) bool
}

type entryKind byte

const (
	delegationEntry entryKind = 'd'
	rrsetEntry      entryKind = 'r'
	referralEntry   entryKind = 'p'
	ownEntry        entryKind = 'o'
)

// Ranks of RFC 2181, section 5.4.1, as far as they are kept: additional data and what stands in the
// authority section of answers is not.
const (
	rankNonAuth = 1 // answer section, AA clear
	rankAuth    = 2 // answer section, AA set, and negative answers
)

// Layout of an RRset entry: 0 rank, 1 flags, 2 RCODE, 3 second it was stored (4 octets), 7 records.
const (
	rrsetHeader = 7
	flagDO      = 1 // was asked for with DO: has the signatures there are
	flagBrief   = 2 // TTL 0: only for the task that asked
	statusShift = 4 // from here on: what validation found out
)

// Bounds of what is kept, in seconds.
const (
	maxDelegationTTL = 86400 // parents publish two days for what may move in hours
	maxRRsetTTL      = 86400
	maxNegativeTTL   = 3600
)

// Layout of a key: 0 kind, 1 type (2 octets), 3 class (2 octets), 5 name.
const keyHeader = 5

func (k *knowledge) makeKey(kind entryKind, name dname.Name, t wire.Type, c wire.Class) uint64 {
	k.key = append(k.key[:0], byte(kind))
	k.key = binary.BigEndian.AppendUint16(k.key, uint16(t))
	k.key = binary.BigEndian.AppendUint16(k.key, uint16(c))
	k.key = append(k.key, name...)
	return dname.Mix(dname.Hash(k.seed, name) ^ dname.Mix(uint64(kind)<<32|uint64(t)<<16|uint64(c)))
}

func (k *knowledge) get(kind entryKind, name dname.Name, t wire.Type, c wire.Class, now uint32) ([]byte, bool) {
	if k.store == nil {
		return nil, false
	}
	item, ok := k.store.Get(k.makeKey(kind, name, t, c), k.key, now)
	return item.Value, ok
}

func (k *knowledge) put(kind entryKind, name dname.Name, t wire.Type, c wire.Class, value []byte, ttl, now uint32) {
	k.store.Put(k.makeKey(kind, name, t, c), k.key, value, now+ttl, now)
}

func (k *knowledge) forget(kind entryKind, name dname.Name, t wire.Type, c wire.Class) {
	if k.store != nil {
		k.store.Delete(k.makeKey(kind, name, t, c), k.key)
	}
}

// view returns the records of an RRset entry, whoever they were meant for and with the TTLs that they had. They are
// borrowed until the next change.
func (k *knowledge) view(name dname.Name, t wire.Type, c wire.Class, now uint32) (records, bool) {
	value, ok := k.get(rrsetEntry, name, t, c, now)
	if !ok || len(value) < rrsetHeader {
		return nil, false
	}
	return value[rrsetHeader:], true
}

// recall appends the records of an RRset entry to dst, their TTLs lowered by the time that has passed.
// It fails if the entry lacks the signatures that the caller needs, or was meant for someone else.
func (k *knowledge) recall(dst records, name dname.Name, t wire.Type, c wire.Class, do, brief bool, now uint32) (out records, code wire.Rcode, status dnssec.Status, ok bool) {
	value, ok := k.get(rrsetEntry, name, t, c, now)
	if !ok || len(value) < rrsetHeader || do && value[1]&flagDO == 0 || !brief && value[1]&flagBrief != 0 {
		return dst, 0, 0, false
	}
	age := now - binary.BigEndian.Uint32(value[3:])
	start := len(dst)
	dst = append(dst, value[rrsetHeader:]...)
	for rest := dst[start:]; len(rest) > 0; {
		rec, next, _ := rest.next()
		binary.BigEndian.PutUint32(rest[6:], rec.ttl-min(age, rec.ttl))
		rest = next
	}
	return dst, wire.Rcode(value[2]), dnssec.Status(value[1] >> statusShift), true
}

// addRRset stores records, which all belong to one RRset or one denial.
func (k *knowledge) addRRset(name dname.Name, t wire.Type, c wire.Class, recs records, rank byte, code wire.Rcode, do bool, status dnssec.Status, ttl, now uint32) {
	flags := byte(status) << statusShift
	if do {
		flags |= flagDO
	}
	if ttl == 0 {
		ttl, flags = 1, flags|flagBrief
	}
	if old, ok := k.get(rrsetEntry, name, t, c, now); ok && len(old) >= rrsetHeader {
		if rank == 0 {
			rank = old[0]
		}
		// What has been validated gives way only to what has been validated as well.
		if checked := old[1]>>statusShift != 0; checked && status == dnssec.Unchecked ||
			checked == (status != dnssec.Unchecked) && old[0] > rank && (old[1]&flagDO != 0 || !do) {
			return
		}
	}
	k.value = append(k.value[:0], rank, flags, byte(code))
	k.value = binary.BigEndian.AppendUint32(k.value, now)
	k.value = append(k.value, recs...)
	k.put(rrsetEntry, name, t, c, k.value, ttl, now)
}

// outdate forgets an entry that what a server says now cannot be true beside.
func (k *knowledge) outdate(name dname.Name, t wire.Type, c wire.Class, status dnssec.Status, now uint32) {
	old, ok := k.get(rrsetEntry, name, t, c, now)
	// What has been validated gives way only to what has been validated as well.
	if ok && len(old) >= rrsetHeader && (old[1]>>statusShift == 0 || status != dnssec.Unchecked) {
		k.forget(rrsetEntry, name, t, c)
	}
}

// remember stores a finding: each RRset of the chain under its own name, and the
// denial at its end.
func (m *Machine) remember(t *task, f *finding, status dnssec.Status) {
	if m.known.store == nil || t.typ == wire.TypeANY || t.typ == wire.TypeRRSIG {
		return
	}
	now, c, out := m.seconds(), t.class, f.out
	for rest := f.records; len(rest) > 0; {
		first, next, _ := rest.next()
		if first.section != wire.Answer {
			if out == outNegative {
				m.rememberDenial(t.typ, c, rest, f, status, now)
			}
			return
		}
		ttl := first.ttl
		for len(next) > 0 { // to the end of the RRset
			rec, after, _ := next.next()
			if rec.section == wire.Answer && rec.typ != wire.TypeRRSIG && (rec.typ != first.typ || !dname.Equal(rec.owner, first.owner)) {
				break
			}
			if rec.section != wire.Answer && out == outNegative {
				break
			}
			ttl = min(ttl, rec.ttl)
			next = after
		}
		if !first.made {
			// A name that has records exists, and it is no alias, or nothing else but one (RFC 1034, section 3.6.2).
			m.known.outdate(first.owner, 0, c, status, now)
			if first.typ != wire.TypeCNAME {
				m.known.outdate(first.owner, wire.TypeCNAME, c, status, now)
			} else if t.typ != wire.TypeCNAME {
				m.known.outdate(first.owner, t.typ, c, status, now)
			}
			m.known.addRRset(first.owner, first.typ, c, rest[:len(rest)-len(next)], f.rank, wire.RcodeNoError, f.do, status, min(ttl, maxRRsetTTL), now)
		}
		rest = next
	}
}

// rememberDenial stores a negative answer about the target of f; recs begin with its SOA.
func (m *Machine) rememberDenial(t wire.Type, c wire.Class, recs records, f *finding, status dnssec.Status, now uint32) {
	soa, _, _ := recs.next()
	if soa.typ != wire.TypeSOA || len(soa.rdata) < 20 {
		return
	}
	// RFC 2308, section 5: cap the negative TTL at SOA.MINIMUM.
	ttl := min(soa.ttl, binary.BigEndian.Uint32(soa.rdata[len(soa.rdata)-4:]), maxNegativeTTL)
	if f.rcode == wire.RcodeNXDomain && !(t == wire.TypeDS && m.apart(f.target)) {
		m.known.outdate(f.target, t, c, status, now)
		t = 0
	}
	if t != wire.TypeDS && t != wire.TypeNSEC { // which an alias may have beside it
		m.known.outdate(f.target, wire.TypeCNAME, c, status, now)
	}
	m.known.addRRset(f.target, t, c, recs, rankAuth, f.rcode, f.do, status, ttl, now)
}

// fromKnowledge answers a task, or follows its aliases, with what is known already. True if that ended it.
func (m *Machine) fromKnowledge(i int32) bool {
	t := &m.tasks.list[i]
	f := m.findings.take()
	defer m.findings.give()
	for m.known.store != nil {
		f.reset()
		if status, ok := m.knownAnswer(t, f); ok {
			if m.tracer != nil {
				m.traceNote(i, "known", "answered from what is known")
			}
			m.reuse(i, f, status)
			return true
		}
		switch t.typ { // RFC 4035, section 2.5: an alias has signatures and an NSEC record of its own.
		case wire.TypeANY, wire.TypeRRSIG:
			return false
		case wire.TypeCNAME, wire.TypeNSEC:
			return m.fromDenials(i, f)
		}
		if t.typ == wire.TypeDS && m.apart(t.current()) {
			return m.fromDenials(i, f)
		}
		status, ok := m.knownAlias(t, f)
		if !ok {
			return m.fromDenials(i, f)
		}
		if f.out != outAlias {
			return false
		}
		if m.validates(t) && status == dnssec.Unchecked {
			m.conclude(i, f)
			return true
		}
		t.security = min(t.security, status)
		if !m.extend(i, f) {
			m.tooLong(i)
			return true
		}
		if m.fromHere(i) {
			return true
		}
		if t.below {
			return false
		}
	}
	return false
}

// knownAnswer finds what is known of the present question of a task: its records, or that there are none, or no such name.
func (m *Machine) knownAnswer(t *task, f *finding) (status dnssec.Status, ok bool) {
	cur, now, do, brief := t.current(), m.seconds(), m.wantDO(t), t.depth > 0
	f.out, f.name, f.source, f.do = outNegative, cur, fromKnown, do
	f.records, f.rcode, status, ok = m.known.recall(f.records[:0], cur, t.typ, t.class, do, brief, now)
	if !ok && !(t.typ == wire.TypeDS && m.apart(cur)) {
		f.records, f.rcode, status, ok = m.known.recall(f.records[:0], cur, 0, t.class, do, brief, now)
	}
	if !ok {
		status, ok = m.deniedAbove(t, f)
	}
	f.setTarget(f.name)
	if rec, _, _ := f.records.next(); ok && rec.section == wire.Answer && len(f.records) > 0 {
		f.out = outAnswer
	}
	return status, ok
}

// knownAlias finds the alias that is known at the present name of a task. The outcome is another than outAlias if it is
// known that there is none.
func (m *Machine) knownAlias(t *task, f *finding) (status dnssec.Status, ok bool) {
	f.out, f.name, f.source, f.do = outNegative, t.current(), fromKnown, m.wantDO(t)
	f.records, f.rcode, status, ok = m.known.recall(f.records[:0], f.name, wire.TypeCNAME, t.class, f.do, t.depth > 0, m.seconds())
	if rec, _, _ := f.records.next(); ok && rec.typ == wire.TypeCNAME && rec.section == wire.Answer {
		f.out = outAlias
		f.setAlias(rec.rdata)
	}
	return status, ok
}

// fromDenials answers a task, or follows its alias, with what denial records and wildcards tell. True if that
// ended it.
func (m *Machine) fromDenials(i int32, f *finding) bool {
	t := &m.tasks.list[i]
	if !m.validates(t) {
		return false
	}
	f.reset()
	f.setTarget(t.current())
	ok := m.synthesize(t, f)
	if ok {
		m.proceed(i, f)
	}
	return ok
}

// reuse ends a task with what is known, or validates it first if nobody has done so.
func (m *Machine) reuse(i int32, f *finding, status dnssec.Status) {
	t := &m.tasks.list[i]
	if m.validates(t) && status == dnssec.Unchecked {
		m.conclude(i, f)
		return
	}
	t.security = min(t.security, status)
	m.finish(i, f)
}

// deniedAbove looks for a denial of a name above that of a task: there is nothing below it either (RFC 8020).
// Servers that deny empty non-terminals are still about, so that without signatures only a top-level domain
// is believed not to exist, as the root servers say. The finding is about the name that is denied.
func (m *Machine) deniedAbove(t *task, f *finding) (status dnssec.Status, ok bool) {
	cur, now := t.current(), m.seconds()
	least, from := 1, 1
	if g := m.groups.find(cur, t.typ); g != nil {
		least = max(g.zone.Labels(), 1)
		if from = cur.Labels() - 1; m.trust.anchors == nil {
			return 0, false
		}
	} else if m.trust.anchors != nil {
		from = cur.Labels() - 1
	}
	for n := min(from, cur.Labels()-1); n >= least; n-- {
		f.records, f.rcode, status, ok = m.known.recall(f.records[:0], cur.Suffix(n), 0, t.class, f.do, false, now)
		if ok && (n == 1 || status == dnssec.Secure) {
			f.name = cur.Suffix(n)
			return status, true
		}
	}
	f.records = f.records[:0]
	return 0, false
}

// Flush forgets what is known of a name, or with subtree set also of all names below it.
func (m *Machine) Flush(name dname.Name, subtree bool) {
	clear(m.failing.slots[:]) // kept by hash alone: whoever flushes wants all to be tried again
	if m.known.store == nil {
		return
	}
	name = dname.AppendLower(nil, name)
	m.trust.flush(name, subtree)
	if subtree && dname.Name(name).IsRoot() {
		m.known.store.Clear()
		return
	}
	m.known.purge(func(_ entryKind, have dname.Name) bool { return dname.Equal(have, name) || subtree && have.In(name) })
}

// maxPurges bounds the purges under way at once, each of which is asked about what is found meanwhile.
const maxPurges = 16

// purge forgets all that matches by its kind and name.
func (k *knowledge) purge(match func(entryKind, dname.Name) bool) {
	if k.store == nil {
		return
	}
	if !k.store.Purging() {
		k.purges = k.purges[:0]
	}
	if len(k.purges) == maxPurges {
		k.purges = k.purges[:0]
		k.store.Clear()
		return
	}
	k.purges = append(k.purges, match) // A purge takes the place of the one before, and has to cover its names too.
	k.store.Purge(func(key []byte) bool {
		for _, match := range k.purges {
			if match(entryKind(key[0]), dname.Name(key[keyHeader:])) {
				return true
			}
		}
		return false
	})
}

// purgeStep is how many bytes of memory are looked through for flushed entries with each question.
const purgeStep = 8 << 10

// wantDO says whether a task needs signatures.
func (m *Machine) wantDO(t *task) bool { return t.do || m.trust.anchors != nil }

// seconds is the time of the running call.
func (m *Machine) seconds() uint32 { return uint32(m.now / 1e9) }

// SetMemory gives the Machine other memory for what it learns, as Options.Memory and Options.TrustMemory are, and forgets
// what it has learned. Tasks under way ask again for what they need. The memory before is not used any more. A Machine that
// keeps nothing needs none.
func (m *Machine) SetMemory(mem []byte, trust int) {
	if m.options.TrustMemory = trust; m.trust.anchors != nil {
		m.trust.begin(trust)
	}
	if m.known.store == nil {
		return
	}
	if len(mem) < cache.MinMemory {
		mem = make([]byte, defaultMemory)
	}
	if store, err := cache.NewStore(cache.StoreOptions{Memory: mem}); err == nil {
		m.known.store = store
	}
}
