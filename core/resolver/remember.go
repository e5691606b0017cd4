package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// remember stores a finding: each RRset of the chain under its own name, and the
// denial at its end.
func (m *Machine) remember(t *task, f *finding, status dnssec.Status) {
	if !m.known.Keeps() || t.typ == wire.TypeANY || t.typ == wire.TypeRRSIG {
		return
	}
	now, c, out := m.seconds(), t.class, f.out
	for rest := f.records; len(rest) > 0; {
		first, next, _ := rest.Next()
		if first.Section != wire.Answer {
			if out == outNegative {
				m.rememberDenial(t.typ, c, rest, f, status, now)
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
			m.known.Outdate(first.Owner, 0, c, status, now)
			if first.Type != wire.TypeCNAME {
				m.known.Outdate(first.Owner, wire.TypeCNAME, c, status, now)
			} else if t.typ != wire.TypeCNAME {
				m.known.Outdate(first.Owner, t.typ, c, status, now)
			}
			m.known.Add(first.Owner, first.Type, c, &known.Set{
				Records: rest[:len(rest)-len(next)], Rank: f.rank, Status: status, DO: f.do, TTL: min(ttl, known.MaxRRsetTTL),
			}, now)
		}
		rest = next
	}
}

// rememberDenial stores a negative answer about the target of f; recs begin with its SOA.
func (m *Machine) rememberDenial(t wire.Type, c wire.Class, recs known.Records, f *finding, status dnssec.Status, now uint32) {
	soa, _, _ := recs.Next()
	if soa.Type != wire.TypeSOA || len(soa.RData) < 20 {
		return
	}
	// RFC 2308, section 5: cap the negative TTL at SOA.MINIMUM.
	ttl := min(soa.TTL, binary.BigEndian.Uint32(soa.RData[len(soa.RData)-4:]), known.MaxNegativeTTL)
	if f.rcode == wire.RcodeNXDomain && !(t == wire.TypeDS && m.realms.apart(f.target)) {
		m.known.Outdate(f.target, t, c, status, now)
		t = 0
	}
	if t != wire.TypeDS && t != wire.TypeNSEC { // which an alias may have beside it
		m.known.Outdate(f.target, wire.TypeCNAME, c, status, now)
	}
	m.known.Add(f.target, t, c, &known.Set{Records: recs, Rcode: f.rcode, Rank: known.AuthAnswer, Status: status, DO: f.do, TTL: ttl}, now)
}
