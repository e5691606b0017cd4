package dnssec

import (
	"bytes"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Spans keeps NSEC and NSEC3 records of one zone and answers from them (RFC 8198). It holds copies in the
// order of the zone, at most as many as it was made for. Time is in whole seconds of any clock. The zero value
// holds nothing. Not safe for concurrent use.
type Spans struct {
	zone  dname.Name
	limit int
	room  int        // bytes
	bytes int        // of what is held
	nsec  []keptSpan // by owner, in canonical order
	nsec3 []keptSpan // by hash
	param NSEC3PARAM // of nsec3
	hand  int        // where to look for one to evict
}

// keptSpan is an RRset with what it is sorted by.
type keptSpan struct {
	set     RRset
	hash    [hashLen]byte // NSEC3
	expires uint32        // seconds
}

// bytes is about how much memory k takes.
func (k *keptSpan) bytes() int {
	n := 256 + len(k.set.Owner) + len(k.set.Signer)
	for _, rdata := range k.set.Data {
		n += 32 + len(rdata)
	}
	for _, rdata := range k.set.Sigs {
		n += 32 + len(rdata)
	}
	return n
}

// NewSpans returns an empty set for the zone, which will hold up to limit records in so many bytes. One takes about
// 500 bytes.
func NewSpans(zone dname.Name, limit, bytes int) *Spans {
	return &Spans{zone: dname.AppendLower(nil, zone), limit: limit, room: bytes}
}

// Bytes is about how much memory the records take.
func (s *Spans) Bytes() int { return s.bytes }

// Len returns the number of records held.
func (s *Spans) Len() int { return len(s.nsec) + len(s.nsec3) }

// Put keeps a copy of set for as long as its TTL says, if it is a Secure NSEC or NSEC3 record of the zone that
// can prove something. What it contradicts is dropped, as the zone has changed. It reports whether set was
// kept.
func (s *Spans) Put(set *RRset, now uint32) bool {
	d := NewDenial(s.zone)
	if len(set.Data) != 1 || set.Expanded() || s.limit <= 0 || set.TTL == 0 || !d.Add(set) {
		return false
	}
	kept := keptSpan{set: cloneSet(set), expires: now + min(set.TTL, 1<<30)}
	if kept.bytes() > s.room {
		return false
	}
	if len(d.spans) == 1 {
		s.nsec = s.insert(s.nsec, kept, now)
		return true
	}
	if d.param.Iterations != s.param.Iterations || !bytes.Equal(d.param.Salt, s.param.Salt) {
		s.remove(s.nsec3, 0, len(s.nsec3)) // another chain
		s.nsec3, s.param = nil, d.param
		s.param.Salt = slices.Clone(d.param.Salt)
	}
	kept.hash = d.hashSpans[0].owner
	s.nsec3 = s.insert(s.nsec3, kept, now)
	return true
}

// cloneSet copies set into memory of its own.
func cloneSet(set *RRset) RRset {
	c := *set
	c.Owner, c.Signer = slices.Clone(set.Owner), slices.Clone(set.Signer)
	c.Data, c.Sigs = cloneAll(set.Data), cloneAll(set.Sigs)
	return c
}

func cloneAll(all [][]byte) [][]byte {
	c := make([][]byte, len(all))
	for i := range all {
		c[i] = slices.Clone(all[i])
	}
	return c
}

func (k *keptSpan) compare(to *keptSpan) int {
	if k.set.Type == wire.TypeNSEC3 {
		return bytes.Compare(k.hash[:], to.hash[:])
	}
	return dname.Compare(k.set.Owner, to.set.Owner)
}

// covers reports whether k says that there is nothing at to.
func (k *keptSpan) covers(zone dname.Name, to *keptSpan) bool {
	d := NewDenial(zone)
	if !d.Add(&k.set) {
		return false
	}
	if k.set.Type == wire.TypeNSEC3 {
		return d.hashSpans[0].covers(&to.hash)
	}
	return d.spans[0].covers(to.set.Owner)
}

// insert puts k into list, in the place of what it contradicts.
func (s *Spans) insert(list []keptSpan, k keptSpan, now uint32) []keptSpan {
	others := s.Len() - len(list) // NSEC records, of a zone that has NSEC3 ones now, or the other way round
	at, found := slices.BinarySearchFunc(list, &k, func(e keptSpan, k *keptSpan) int { return e.compare(k) })
	if found {
		list = s.remove(list, at, at+1)
	} else if at > 0 && list[at-1].covers(s.zone, &k) {
		at--
		list = s.remove(list, at, at+1)
	}
	end := at
	for end < len(list) && k.covers(s.zone, &list[end]) {
		end++
	}
	list = s.remove(list, at, end)
	for size := k.bytes(); others+len(list) >= s.limit || s.bytes+size > s.room; {
		if len(list) == 0 {
			s.nsec, s.nsec3, s.bytes = nil, nil, 0
			break
		}
		list = s.evict(list, now)
		at, _ = slices.BinarySearchFunc(list, &k, func(e keptSpan, k *keptSpan) int { return e.compare(k) })
	}
	s.bytes += k.bytes()
	return slices.Insert(list, at, k)
}

// remove takes the records from at to end out of list.
func (s *Spans) remove(list []keptSpan, at, end int) []keptSpan {
	for i := at; i < end; i++ {
		s.bytes -= list[i].bytes()
	}
	return slices.Delete(list, at, end)
}

// evict makes room: it drops what has expired, or else one after the other.
func (s *Spans) evict(list []keptSpan, now uint32) []keptSpan {
	before := len(list)
	list = slices.DeleteFunc(list, func(k keptSpan) bool {
		gone := int32(k.expires-now) <= 0
		if gone {
			s.bytes -= k.bytes()
		}
		return gone
	})
	if len(list) == before && len(list) > 0 {
		s.hand = (s.hand + 1) % len(list)
		list = s.remove(list, s.hand, s.hand+1)
	}
	return list
}

// Synthesis is an answer made from kept records.
type Synthesis struct {
	// Kind is NameError, NoData, or Positive: then the name itself does not exist, but there is a wildcard
	// directly below Encloser, or there may be one, whose records answer for it.
	Kind     Kind
	Encloser dname.Name // a piece of the name asked for
	// Proof are the records to answer with, borrowed until the next Put. Their TTL is what is left of it.
	Proof []RRset
}

// Synthesize answers a question if what is kept proves the answer: the result would be Secure. Names in
// the span of an opt-out record are left to the zone's servers. v's budget bounds the hashes.
func (s *Spans) Synthesize(v *Validator, name dname.Name, t wire.Type, now uint32) (a Synthesis, ok bool) {
	if len(s.zone) == 0 || !name.In(s.zone) || t == wire.TypeANY || t == wire.TypeRRSIG {
		return a, false
	}
	c := collector{d: NewDenial(s.zone), now: now}
	if len(s.nsec) > 0 {
		s.collectNSEC(&c, name)
	} else if len(s.nsec3) > 0 {
		s.collectNSEC3(v, &c, name)
	}
	a.Proof = c.proof
	switch {
	case len(c.proof) == 0:
		return a, false
	case c.d.NoData(v, name, t).Status == Secure:
		a.Kind = NoData
		return a, true
	case c.d.NameError(v, name).Status == Secure:
		a.Kind = NameError
		return a, true
	}
	if encloser, r := c.d.closestEncloser(v, name); r.Status == Secure {
		a.Kind, a.Encloser = Positive, encloser
		return a, true
	}
	return a, false
}

// collector gathers the records that matter for one name.
type collector struct {
	d     *Denial
	now   uint32
	proof []RRset
}

// add takes the record that stands at k's place or before it, the last of the list if there is none before.
func (c *collector) add(list []keptSpan, k *keptSpan) (e *keptSpan, exact bool) {
	at, exact := slices.BinarySearchFunc(list, k, func(e keptSpan, k *keptSpan) int { return e.compare(k) })
	if !exact {
		at = (at + len(list) - 1) % len(list)
	}
	e = &list[at]
	left := int32(e.expires - c.now)
	if left <= 0 {
		return nil, false
	}
	if !slices.ContainsFunc(c.proof, func(set RRset) bool { return dname.Equal(set.Owner, e.set.Owner) }) {
		set := e.set
		set.TTL = uint32(left)
		c.d.Add(&set)
		c.proof = append(c.proof, set)
	}
	return e, exact
}

func (s *Spans) collectNSEC(c *collector, name dname.Name) {
	key := keptSpan{set: RRset{Owner: name, Type: wire.TypeNSEC}}
	if _, exact := c.add(s.nsec, &key); exact {
		return
	}
	encloser, ok := c.d.missing(name)
	if !ok {
		return
	}
	if wild, ok := wildcard(encloser); ok {
		key.set.Owner = wild
		c.add(s.nsec, &key)
	}
}

func (s *Spans) collectNSEC3(v *Validator, c *collector, name dname.Name) {
	c.d.param, c.d.cost = s.param, hashCost(s.param.Iterations, s.param.Salt)
	if c.d.checkParam(v.Policy).Status != Secure {
		return
	}
	closer := keptSpan{set: RRset{Type: wire.TypeNSEC3}}
	encloser := name
	for ; ; encloser = encloser.Parent() {
		key := keptSpan{set: RRset{Type: wire.TypeNSEC3}}
		var ok bool
		if key.hash, ok = c.d.hash(v, encloser); !ok {
			return
		}
		if _, found := slices.BinarySearchFunc(s.nsec3, &key, func(e keptSpan, k *keptSpan) int { return e.compare(k) }); found {
			c.add(s.nsec3, &key)
			if len(encloser) == len(name) {
				return
			}
			break
		}
		if len(encloser) == len(s.zone) {
			return
		}
		closer = key
	}
	c.add(s.nsec3, &closer)
	if wild, ok := wildcard(encloser); ok {
		if hash, ok := c.d.hash(v, wild); ok {
			c.add(s.nsec3, &keptSpan{set: RRset{Type: wire.TypeNSEC3}, hash: hash})
		}
	}
}
