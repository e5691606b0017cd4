package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// maxSets bounds the RRsets of one response that is validated, and with it the time to sort its records.
const maxSets = 256

// claim is a response on its way through validation, in memory of its own: it goes to other threads.
type claim struct {
	dnssec.Response
	made []bool // the CNAME sets that follow from a DNAME, by index of Sets
}

// claimSize is what a claim of records takes, about, in bytes: a copy, a slice for each record in one of its set, and the
// sets, which are mostly of one record with one signature.
func claimSize(r known.Records) int { return 1024 + len(r) + 128*r.Count() }

// newClaim makes a response about name of records; false if there are too many RRsets.
func newClaim(r known.Records, name dname.Name, t wire.Type, c wire.Class, code wire.Rcode, complete bool) (*claim, bool) {
	own := make(known.Records, 0, len(r)+len(name))
	own = append(own, r...)
	out := &claim{Response: dnssec.Response{Type: t, Class: c, Rcode: code, Complete: complete}}
	for rest := own; len(rest) > 0; {
		rec, next, ok := rest.Next()
		if !ok {
			break
		}
		rest = next
		if rec.Type == wire.TypeRRSIG && t != wire.TypeRRSIG {
			continue
		}
		set := out.find(rec.Section, rec.Owner, rec.Type)
		if set == nil {
			if len(out.Sets) == maxSets {
				return nil, false
			}
			out.Sets = append(out.Sets, dnssec.RRset{Owner: rec.Owner, Type: rec.Type, Class: rec.Class, Section: rec.Section, TTL: rec.TTL})
			out.made = append(out.made, rec.Made)
			set = &out.Sets[len(out.Sets)-1]
		}
		set.TTL = min(set.TTL, rec.TTL) // RFC 2181, section 5.2
		set.Data = append(set.Data, rec.RData)
	}
	for rest := own; len(rest) > 0 && t != wire.TypeRRSIG; {
		rec, next, ok := rest.Next()
		if !ok {
			break
		}
		rest = next
		if rec.Type != wire.TypeRRSIG || len(rec.RData) < 2 {
			continue
		}
		if set := out.find(rec.Section, rec.Owner, wire.Type(binary.BigEndian.Uint16(rec.RData))); set != nil {
			set.Sigs = append(set.Sigs, rec.RData)
		}
	}
	own = append(own, name...)
	out.Name = dname.Name(own[len(r):])
	return out, true
}

// find looks from the end: the records of a set mostly stand together.
func (c *claim) find(s wire.Section, owner dname.Name, t wire.Type) *dnssec.RRset {
	for i := len(c.Sets) - 1; i >= 0; i-- {
		if set := &c.Sets[i]; set.Section == s && set.Type == t && dname.Equal(set.Owner, owner) {
			return set
		}
	}
	return nil
}

// appendTo appends the records that may be used, with the TTLs that validation left: all of them, or only those
// that are secure (RFC 4035, section 3.2.3).
func (c *claim) appendTo(dst known.Records, secure bool) known.Records {
	for i := range c.Sets {
		set := &c.Sets[i]
		if secure && set.Status != dnssec.Secure {
			continue
		}
		section := set.Section
		if c.made[i] {
			section |= known.MadeHere
		}
		for _, rdata := range set.Data {
			dst = dst.Add(section, set.Owner, set.Type, set.Class, set.TTL, rdata)
		}
		for _, rdata := range set.Sigs {
			dst = dst.Add(section, set.Owner, wire.TypeRRSIG, set.Class, set.TTL, rdata)
		}
	}
	return dst
}
