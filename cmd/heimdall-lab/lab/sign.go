package lab

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Signatures are valid from a day before the start of the lab for two weeks. Validators tolerate clocks that
// are off by a part of that time, a day at most, so that flawed ones are off by ten days.
const (
	day      = 24 * time.Hour
	validity = 14 * day
	offBy    = 10 * day
)

// makeKeys makes the zone's keys.
func (z *zone) makeKeys() error {
	flags := []uint16{flagsKSK}
	if z.spec.Split {
		flags = append(flags, flagsZSK)
	}
	for _, f := range flags {
		k, err := newKey(z.origin, z.spec.Algorithm, f)
		if err != nil {
			return err
		}
		z.keys = append(z.keys, k)
		if z.spec.Flaw != NoKeys {
			z.insert(k.public)
		}
		if z.spec.Flaw == KeyTrap {
			for _, twin := range twins(k.public) {
				z.insert(twin)
			}
		}
	}
	return nil
}

// dsRecords returns what the parent zone says about the keys.
func (z *zone) dsRecords() ([]dns.RR, error) {
	if z.spec.Algorithm == 0 || z.spec.NoDS {
		return nil, nil
	}
	digests := z.spec.Digests
	if digests == nil {
		digests = []uint8{dns.SHA256}
	}
	k := z.keys[0]
	var rrs []dns.RR
	for _, digest := range digests {
		switch z.spec.Flaw {
		case UnknownDigest:
			digest = unknownDigest
		case WrongDS:
			other, err := newKey(z.origin, z.spec.Algorithm, flagsKSK)
			if err != nil {
				return nil, err
			}
			k = other
		}
		d := k.ds(digest)
		if z.spec.Flaw == CorruptDS {
			d.Digest = corrupt(d.Digest)
		}
		rrs = append(rrs, d)
	}
	return rrs, nil
}

// sign makes the chain of NSEC or NSEC3 records and signs all that the zone is authoritative for.
func (z *zone) sign(now time.Time) error {
	if z.spec.Algorithm == 0 || z.spec.Flaw == NoKeys {
		return nil
	}
	from, to := now.Add(-day), now.Add(-day+validity)
	switch z.spec.Flaw {
	case Expired:
		from, to = now.Add(-offBy-validity), now.Add(-offBy)
	case NotYetValid:
		from, to = now.Add(offBy), now.Add(offBy+validity)
	}
	ksk, zsk := z.keys[0], z.keys[len(z.keys)-1]
	if z.spec.Flaw == WrongKey {
		other, err := newKey(z.origin, z.spec.Algorithm, flagsZSK)
		if err != nil {
			return err
		}
		zsk = other
	}
	if z.spec.Denial.NSEC3 {
		z.chainNSEC3()
	} else {
		z.chainNSEC()
	}
	sign := func(rrs []dns.RR) error {
		h := rrs[0].Header()
		k := zsk
		if h.Rrtype == dns.TypeDNSKEY {
			k = ksk
		}
		s, err := k.sign(rrs, uint32(from.Unix()), uint32(to.Unix()))
		if err != nil {
			return err
		}
		if z.spec.Flaw == Forged && h.Rrtype != dns.TypeDNSKEY {
			s.Signature = corrupt(s.Signature)
		}
		z.sigs[rrset{h.Name, h.Rrtype}] = []dns.RR{s}
		if z.spec.Flaw == KeyTrap && h.Rrtype != dns.TypeDNSKEY {
			z.sigs[rrset{h.Name, h.Rrtype}] = decoys(s)
		}
		return nil
	}
	for _, name := range z.authoritative() {
		for typ, rrs := range z.nodes[name] {
			if z.isCut(name) && typ != dns.TypeDS {
				continue // RFC 4035, section 2.2: NS records at a cut are not signed.
			}
			if err := sign(rrs); err != nil {
				return err
			}
		}
	}
	for _, l := range z.chain {
		if err := sign([]dns.RR{l.rr}); err != nil {
			return err
		}
	}
	return nil
}

// types returns the type bit map of a name. Only names with signed data have RRSIG in it.
func (z *zone) types(name string, more ...uint16) []uint16 {
	types := more
	signed := name == z.origin && z.spec.Denial.NSEC3 // NSEC3PARAM
	for typ := range z.nodes[name] {
		if z.isCut(name) && typ != dns.TypeNS && typ != dns.TypeDS {
			continue
		}
		signed = signed || typ != dns.TypeNS || name == z.origin
		types = append(types, typ)
	}
	if signed || slices.Contains(more, dns.TypeNSEC) {
		types = append(types, dns.TypeRRSIG)
	}
	slices.Sort(types)
	return types
}

// minimumTTL is the TTL of negative answers in seconds.
const minimumTTL = 300

// chainNSEC links the names that have data (RFC 4034, section 4).
func (z *zone) chainNSEC() {
	var names []string
	for _, name := range z.authoritative() {
		if len(z.nodes[name]) > 0 {
			names = append(names, name)
		}
	}
	for i, name := range names {
		rr := &dns.NSEC{NextDomain: names[(i+1)%len(names)], TypeBitMap: z.types(name, dns.TypeNSEC)}
		rr.Hdr = dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: minimumTTL}
		z.chain = append(z.chain, link{sortable(name), rr})
	}
}

// chainNSEC3 links the hashes of all names (RFC 5155, section 7.1), with opt-out without insecure delegations.
func (z *zone) chainNSEC3() {
	d := z.spec.Denial
	param := &dns.NSEC3PARAM{Hash: dns.SHA1, Iterations: d.Iterations, SaltLength: uint8(len(d.Salt) / 2), Salt: d.Salt}
	param.Hdr = dns.RR_Header{Name: z.origin, Rrtype: dns.TypeNSEC3PARAM, Class: dns.ClassINET, Ttl: 0}
	z.insert(param)
	for _, name := range z.authoritative() {
		if d.OptOut && z.isCut(name) && !z.has(name, dns.TypeDS) {
			continue
		}
		hash := z.hash(name)
		rr := &dns.NSEC3{Hash: dns.SHA1, Iterations: d.Iterations, SaltLength: param.SaltLength, Salt: d.Salt,
			HashLength: 20, TypeBitMap: z.types(name)}
		if d.OptOut {
			rr.Flags = 1
		}
		owner := strings.ToLower(hash) + "." + strings.TrimPrefix(z.origin, ".")
		rr.Hdr = dns.RR_Header{Name: owner, Rrtype: dns.TypeNSEC3, Class: dns.ClassINET, Ttl: minimumTTL}
		z.chain = append(z.chain, link{hash, rr})
	}
	slices.SortFunc(z.chain, func(a, b link) int { return cmp.Compare(a.owner, b.owner) })
	for i, l := range z.chain {
		l.rr.(*dns.NSEC3).NextDomain = z.chain[(i+1)%len(z.chain)].owner
	}
}

// hash returns the NSEC3 hash of a name. Base 32 with the extended hex alphabet sorts as the hash itself does.
func (z *zone) hash(name string) string {
	return dns.HashName(name, dns.SHA1, z.spec.Denial.Iterations, z.spec.Denial.Salt)
}
