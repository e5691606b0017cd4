package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/resolver/trust"
	"heimdall/core/wire"
)

// remember stores a finding: each RRset of the chain under its own name, and the denial at its end.
func (k *knowledge) remember(t *task, f *finding, status dnssec.Status, at int64) {
	if !k.Keeps() || t.typ == wire.TypeANY || t.typ == wire.TypeRRSIG {
		return
	}
	now, c, out := seconds(at), t.class, f.out
	for rest := f.records; len(rest) > 0; {
		first, next, _ := rest.Next()
		if first.Section != wire.Answer {
			if out == outNegative {
				k.rememberDenial(t.typ, c, rest, f, status, now)
			}
			return
		}
		ttl := first.TTL
		for len(next) > 0 { // to the end of the RRset
			rec, after, _ := next.Next()
			if rec.Section == wire.Answer && rec.Type != wire.TypeRRSIG && (rec.Type != first.Type || !dname.Equal(rec.Owner, first.Owner)) {
				break
			}
			if rec.Section != wire.Answer && out == outNegative {
				break
			}
			ttl = min(ttl, rec.TTL)
			next = after
		}
		if !first.Made {
			// A name that has records exists, and it is no alias, or nothing else but one (RFC 1034, section 3.6.2).
			k.Outdate(first.Owner, 0, c, status, now)
			if first.Type != wire.TypeCNAME {
				k.Outdate(first.Owner, wire.TypeCNAME, c, status, now)
			} else if t.typ != wire.TypeCNAME {
				k.Outdate(first.Owner, t.typ, c, status, now)
			}
			k.Add(first.Owner, first.Type, c, &known.Set{
				Records: rest[:len(rest)-len(next)], Rank: f.rank, Status: status, DO: f.do, TTL: min(ttl, known.MaxRRsetTTL),
			}, now)
		}
		rest = next
	}
}

// rememberDenial stores a negative answer about the target of f; recs begin with its SOA.
func (k *knowledge) rememberDenial(t wire.Type, c wire.Class, recs known.Records, f *finding, status dnssec.Status, now uint32) {
	soa, _, _ := recs.Next()
	if soa.Type != wire.TypeSOA || len(soa.RData) < 20 {
		return
	}
	// RFC 2308, section 5: cap the negative TTL at SOA.MINIMUM.
	ttl := min(soa.TTL, binary.BigEndian.Uint32(soa.RData[len(soa.RData)-4:]), known.MaxNegativeTTL)
	if f.rcode == wire.RcodeNXDomain && !(t == wire.TypeDS && k.realms.apart(f.target)) {
		k.Outdate(f.target, t, c, status, now)
		t = 0
	}
	if t != wire.TypeDS && t != wire.TypeNSEC { // which an alias may have beside it
		k.Outdate(f.target, wire.TypeCNAME, c, status, now)
	}
	k.Add(f.target, t, c, &known.Set{Records: recs, Rcode: f.rcode, Rank: known.AuthAnswer, Status: status, DO: f.do, TTL: ttl}, now)
}

// keepWildcards keeps the records that a validated response to task t has from wildcards, for other names (RFC 8198,
// section 5.3).
func (k *knowledge) keepWildcards(t *task, c *claim, rank known.Rank, now int64) {
	f := k.findings.take()
	defer k.findings.give()
	for i := range c.Sets {
		set := &c.Sets[i]
		if !set.Expanded() || set.Status != dnssec.Secure || set.Section != wire.Answer || len(set.Encloser)+2 > dname.MaxLen {
			continue
		}
		if !k.realms.speaksFor(t, set.Encloser) {
			continue
		}
		wild := dname.Name(dname.AppendLower([]byte{1, '*'}, set.Encloser))
		f.records = f.records[:0]
		for _, rdata := range set.Data {
			f.records = f.records.Add(wire.Answer, wild, set.Type, set.Class, set.TTL, rdata)
		}
		for _, rdata := range set.Sigs {
			f.records = f.records.Add(wire.Answer, wild, wire.TypeRRSIG, set.Class, set.TTL, rdata)
		}
		k.Add(wild, set.Type, set.Class, &known.Set{
			Records: f.records, Rank: rank, Status: dnssec.Secure, DO: true, TTL: min(set.TTL, known.MaxRRsetTTL),
		}, seconds(now))
	}
}

// keepReferral stores what a referral to a zone, from a server of the zone from, says about DS records: it is
// good for nothing but to find the link of the chain of trust.
func (k *knowledge) keepReferral(t *task, resp *response, child, from dname.Name, now int64) {
	if !k.trust.On() || !k.Keeps() {
		return
	}
	f := k.findings.take()
	defer k.findings.give()
	readable, ttl := true, uint32(known.MaxRRsetTTL)
	parts := resp.parts
	for i := range parts {
		p := &parts[i]
		if p.section != wire.Authority || p.rr.Class != t.class || !p.owner.In(from) {
			continue
		}
		typ := p.rr.Type
		if typ == wire.TypeRRSIG {
			typ = resp.covered(p)
		}
		if typ == wire.TypeNSEC || typ == wire.TypeNSEC3 || typ == wire.TypeDS && dname.Equal(p.owner, child) {
			var ok bool
			f.records, ok = resp.take(f.records, p, wire.Authority)
			readable = readable && ok
			ttl = min(ttl, p.rr.TTL)
		}
	}
	if !readable || len(f.records) == 0 {
		k.Forget(known.Referral, child, wire.TypeDS, t.class)
		return
	}
	k.Put(known.Referral, child, wire.TypeDS, t.class, f.records, max(ttl, trust.MinTTL), seconds(now))
}
