package trust

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// Bounds of the NSEC and NSEC3 records that are kept to answer from (RFC 8198). A record takes about 500 bytes.
const (
	maxDenials   = 128  // zones with such records
	maxSpans     = 128  // records of one zone
	maxRootSpans = 2048 // of the root, which has 1,450 and meets most of the nonsense
	maxSOA       = 2048 // octets of an SOA record with its signatures
)

// spanHashes is what may be hashed to answer one question from NSEC3 records on the shard's thread: 64 blocks
// take 10 µs. Zones that use no iterations, as RFC 9276 wants it, need one for each name tried.
const spanHashes = 64

// denial is what a zone has proved not to exist, with the SOA record that goes with the proof.
type denial struct {
	spans *dnssec.Spans
	soa   known.Records // the SOA record with its signatures
	until uint32        // second until which soa holds
}

// KeepDenials keeps what a validated response says about what does not exist, as far as mine is true of the zone that
// says so.
func (s *Store) KeepDenials(r *dnssec.Response, mine func(zone dname.Name) bool, now int64) {
	second := uint32(now / 1e9)
	any := false
	for i := range r.Sets {
		set := &r.Sets[i]
		if set.Status == dnssec.Secure && set.Section == wire.Authority && (set.Type == wire.TypeNSEC || set.Type == wire.TypeNSEC3) && mine(set.Signer) {
			kept := *set
			kept.TTL = min(kept.TTL, known.MaxNegativeTTL) // RFC 9077: a negative answer's TTL, whatever the signer took
			d := s.denialOf(set.Signer)
			before := d.spans.Bytes()
			any = d.spans.Put(&kept, second) || any
			s.kept += d.spans.Bytes() - before
			s.makeRoom(d)
		}
	}
	for i := 0; i < len(r.Sets) && any; i++ {
		set := &r.Sets[i]
		if set.Status == dnssec.Secure && set.Section == wire.Authority && set.Type == wire.TypeSOA && len(set.Data) == 1 {
			s.denialOf(set.Signer).setSOA(set, second)
		}
	}
}

// setSOA keeps an SOA record with its signatures, unless they are too long.
func (d *denial) setSOA(set *dnssec.RRset, second uint32) {
	d.soa = d.soa[:0].Add(wire.Authority, set.Owner, wire.TypeSOA, set.Class, set.TTL, set.Data[0])
	for _, rdata := range set.Sigs {
		if len(d.soa) < maxSOA {
			d.soa = d.soa.Add(wire.Authority, set.Owner, wire.TypeRRSIG, set.Class, set.TTL, rdata)
		}
	}
	d.until = second + min(set.TTL, known.MaxNegativeTTL)
	if len(d.soa) > maxSOA {
		d.soa, d.until = nil, 0
	}
}

// makeRoom forgets denials of other zones than the one of keep until all have room.
func (s *Store) makeRoom(keep *denial) {
	for name, d := range s.denials { // in an order that nobody can foresee
		if s.kept <= s.room {
			return
		}
		if d != keep {
			s.dropDenial(name)
		}
	}
}

// dropDenial forgets what is kept for a zone.
func (s *Store) dropDenial(zone string) {
	s.kept -= s.denials[zone].spans.Bytes()
	delete(s.denials, zone)
}

// denialOf returns what is kept for a zone.
func (s *Store) denialOf(zone dname.Name) *denial {
	key := s.lower(zone)
	if d := s.denials[string(key)]; d != nil {
		return d
	}
	for old := range s.denials {
		if len(s.denials) < maxDenials {
			break
		}
		s.dropDenial(old)
	}
	limit := maxSpans
	if zone.IsRoot() {
		limit = maxRootSpans
	}
	d := &denial{spans: dnssec.NewSpans(key, limit, s.room/2)}
	s.denials[string(key)] = d
	return d
}

// spansFor returns what is kept of the zone that a name is in, for questions of a type, if that zone has above labels at
// least.
func (s *Store) spansFor(name dname.Name, typ wire.Type, above int, now int64) (*denial, *dnssec.Zone) {
	if len(s.denials) == 0 || typ == wire.TypeDS && name.IsRoot() {
		return nil, nil
	}
	if _, unsigned := s.Unsigned(name, typ, now); unsigned {
		return nil, nil
	}
	in := name
	if typ == wire.TypeDS {
		in = name.Parent()
	}
	z := s.Deepest(in, s.anchors.Closest(in).Zone, now)
	if z == nil || z.Status != dnssec.Secure || above > z.Name.Labels() {
		return nil, nil
	}
	d := s.denials[string(s.lower(z.Name))]
	if d == nil || d.spans.Len() == 0 {
		return nil, nil
	}
	return d, z
}

// Synthesis is what kept records prove of a question: that there is no such name, no such type, or that a wildcard
// answers. It is borrowed until the next change.
type Synthesis struct {
	dnssec.Synthesis
	SOA known.Records // with its signatures
	TTL uint32        // seconds, of the whole answer
}

// Synthesize answers a question from kept records of zones that have above labels at least. False if they do not tell.
func (s *Store) Synthesize(name dname.Name, typ wire.Type, above int, now int64) (a Synthesis, ok bool) {
	second := uint32(now / 1e9)
	d, _ := s.spansFor(name, typ, above, now)
	if d == nil || len(d.soa) == 0 || second >= d.until {
		return a, false
	}
	budget := dnssec.HashBudget(spanHashes)
	v := dnssec.Validator{Policy: &s.policy, Budget: &budget}
	if a.Synthesis, ok = d.spans.Synthesize(&v, name, typ, second); !ok {
		return a, false
	}
	a.SOA, a.TTL = d.soa, d.until-second
	for i := range a.Proof {
		a.TTL = min(a.TTL, a.Proof[i].TTL)
	}
	if a.Kind != dnssec.Positive {
		// RFC 8198, section 5.4: no longer than a negative answer of the zone.
		soa, _, _ := d.soa.Next()
		a.TTL = min(a.TTL, binary.BigEndian.Uint32(soa.RData[len(soa.RData)-4:]))
	}
	return a, true
}

// SynthesizeCut finds out from kept records of zones that have above labels at least whether name, which has no DS records,
// is a zone cut, and keeps that. False if they do not tell.
func (s *Store) SynthesizeCut(name dname.Name, class wire.Class, above int, now int64) bool {
	d, zone := s.spansFor(name, wire.TypeDS, above, now)
	if d == nil {
		return false
	}
	budget := dnssec.HashBudget(spanHashes)
	v := dnssec.Validator{Policy: &s.policy, Budget: &budget}
	found, ok := d.spans.Synthesize(&v, name, wire.TypeDS, uint32(now/1e9))
	if !ok || found.Kind == dnssec.Positive {
		return false
	}
	r := dnssec.Response{Name: name, Type: wire.TypeDS, Class: class, Sets: found.Proof}
	cut := v.ValidateDelegation(&r, name, zone)
	if cut.Status == dnssec.Bogus {
		return false
	}
	s.PutCut(cut, now)
	return true
}
