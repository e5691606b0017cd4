package cache

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// judgement says whether and how long a response may be kept.
type judgement struct {
	ttl      uint32 // seconds, at least 1
	negative bool   // NXDOMAIN or NODATA
	failure  bool   // neither an answer nor a negative answer
	records  int    // in all sections
	minTTL   uint32 // seconds, from the limits
	maxTTL   uint32
}

// judge reads a response once and decides. It is false if the response is malformed, is none to the key's
// question, or must not be kept.
func (a *Answers) judge(k *Key, msg []byte, m Meta) (j judgement, ok bool) {
	var r wire.Reader
	if !r.Reset(msg) || wire.Count(msg, wire.Question) != 1 {
		return j, false
	}
	flags := wire.Flags(msg)
	if flags&wire.FlagQR == 0 || flags&wire.FlagTC != 0 || wire.OpcodeOf(flags) != wire.OpcodeQuery {
		return j, false
	}
	nameOff, t, c := r.Question()
	qname, ok := dname.Parse(msg[nameOff:])
	if !ok || t.IsMeta() && t != wire.TypeANY || t != k.Type || c != k.Class || !dname.Equal(qname, k.Name) {
		return j, false
	}

	const none = ^uint32(0)
	least := none // TTL of the answer and authority sections
	soa := none   // RFC 2308, section 5: the lesser of the SOA's TTL and its MINIMUM
	answered := false
	for rr := (wire.RR{}); ; {
		section, ok := r.Next(&rr)
		if !ok {
			break
		}
		j.records++
		switch {
		case rr.Type.IsMeta():
			return j, false
		case section == wire.Additional:
			continue
		case section == wire.Authority && rr.Type == wire.TypeSOA && rr.End-rr.Data >= 22:
			minimum := binary.BigEndian.Uint32(msg[rr.End-4:])
			soa = min(soa, rr.TTL, minimum)
		case section == wire.Answer && (rr.Type == t || t == wire.TypeANY):
			answered = true
		}
		least = min(least, rr.TTL)
	}
	if r.Err() {
		return j, false
	}

	l := &a.limits
	rcode := wire.RcodeOf(flags)
	if j.minTTL, j.maxTTL = l.minTTL, l.maxTTL; m.AD {
		// RFC 4035, section 5.3.3: not longer than the signatures and their original TTL allow, which the records' TTLs
		// have been lowered to.
		j.minTTL = 0
	}
	switch {
	case rcode != wire.RcodeNoError && rcode != wire.RcodeNXDomain:
		j.failure = true
		j.ttl = min(m.TTL, maxFailureTTL)
		return j, j.ttl > 0
	case rcode == wire.RcodeNXDomain || !answered:
		j.negative = true
		j.maxTTL = min(l.maxNegativeTTL, l.maxTTL)
		j.minTTL = min(j.minTTL, j.maxTTL)
		j.ttl = min(soa, least)
		// RFC 2308, section 5: without an SOA a negative answer should not be cached. Referrals have
		// none either.
		if soa == none && m.TTL == 0 {
			return j, false
		}
	default:
		j.ttl = least
	}
	if m.TTL > 0 {
		j.ttl = m.TTL
		j.maxTTL = min(j.maxTTL, max(m.TTL, j.minTTL)) // of the records too
	}
	j.ttl = min(max(j.ttl, j.minTTL), j.maxTTL)
	return j, j.ttl > 0
}

// clamp returns the TTL that a record gets in the entry.
func (j *judgement) clamp(rr *wire.RR) uint32 {
	ttl := min(max(rr.TTL, j.minTTL), j.maxTTL)
	if j.negative || j.failure {
		// RFC 2308, section 5: the SOA is sent with the TTL of the negative answer.
		if rr.Type == wire.TypeSOA {
			return j.ttl
		}
		ttl = min(ttl, j.ttl)
	}
	return ttl
}
