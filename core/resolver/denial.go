package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// synthesize answers the present question of a task from kept records: that there is no such name, no such
// type, or what a wildcard has. False if they do not tell.
func (k *knowledge) synthesize(t *task, f *finding, now int64) bool {
	found, ok := k.trust.Synthesize(t.current(), t.typ, k.realms.groups.labels(t.current(), t.typ), now)
	if !ok {
		return false
	}
	f.records, f.rcode = f.records[:0], wire.RcodeNoError
	if found.Kind == dnssec.Positive {
		if !k.expand(t, f, found.Encloser, found.TTL, now) {
			return false
		}
	} else {
		f.out = outNegative
		if found.Kind == dnssec.NameError {
			f.rcode = wire.RcodeNXDomain
		}
		for rest := found.SOA; len(rest) > 0; {
			rec, next, _ := rest.Next()
			f.records = f.records.Add(wire.Authority, rec.Owner, rec.Type, rec.Class, found.TTL, rec.RData)
			rest = next
		}
	}
	for i := range found.Proof {
		set := &found.Proof[i]
		for _, rdata := range set.Data {
			f.records = f.records.Add(wire.Authority, set.Owner, set.Type, set.Class, found.TTL, rdata)
		}
		for _, rdata := range set.Sigs {
			f.records = f.records.Add(wire.Authority, set.Owner, wire.TypeRRSIG, set.Class, found.TTL, rdata)
		}
	}
	return true
}

// expand appends the records of the wildcard below encloser to f, as those of the present name of a task. False if they
// are not known.
func (k *knowledge) expand(t *task, f *finding, encloser dname.Name, ttl uint32, now int64) bool {
	var buf [dname.MaxLen + 2]byte
	wild := dname.Name(dname.AppendLower(append(buf[:0], 1, '*'), encloser))
	kept := k.findings.take()
	defer k.findings.give()
	recs, _, status, ok := k.Recall(kept.records, wild, t.typ, t.class, true, false, seconds(now))
	f.out = outAnswer
	if !ok {
		recs, _, status, ok = k.Recall(kept.records, wild, wire.TypeCNAME, t.class, true, false, seconds(now))
		f.out = outAlias
	}
	kept.records = recs
	if first, _, _ := recs.Next(); !ok || status != dnssec.Secure || len(recs) == 0 || first.Section != wire.Answer {
		return false
	}
	for len(recs) > 0 {
		rec, next, _ := recs.Next()
		if rec.Section == wire.Answer && dname.Equal(rec.Owner, wild) {
			f.records = f.records.Add(rec.Section, t.current(), rec.Type, rec.Class, min(ttl, rec.TTL), rec.RData)
			if rec.Type == wire.TypeCNAME && f.out == outAlias {
				f.setAlias(rec.RData)
			}
		}
		recs = next
	}
	return true
}
