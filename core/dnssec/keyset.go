package dnssec

import (
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// KeySet is a zone's DNSKEY RRset, ready to verify signatures with. It does not change, keeps no memory of
// its makers', and is safe for concurrent use.
type KeySet struct {
	zone dname.Name // lower case
	keys []zoneKey
}

// zoneKey is one key of a zone.
type zoneKey struct {
	DNSKEY
	tag    uint16
	rdata  []byte
	public publicKey // nil: malformed, or of an unsupported algorithm or size
}

// newKeySet takes the keys of a DNSKEY RRset that is not validated yet, up to the policy's limit. Records
// that are no keys are left out.
func (p *Policy) newKeySet(zone dname.Name, set *RRset) *KeySet {
	s := &KeySet{zone: dname.AppendLower(nil, zone)}
	for _, rdata := range set.Data {
		if len(s.keys) == p.MaxKeys {
			break
		}
		rdata = slices.Clone(rdata)
		k, ok := ParseDNSKEY(rdata)
		if !ok || slices.ContainsFunc(s.keys, func(z zoneKey) bool { return slices.Equal(z.rdata, rdata) }) {
			continue
		}
		key := zoneKey{DNSKEY: k, tag: KeyTag(rdata), rdata: rdata}
		if p.supports(k.Algorithm) {
			key.public = parsePublicKey(k.Algorithm, k.PublicKey)
		}
		s.keys = append(s.keys, key)
	}
	return s
}

// usable reports why key must not verify set, ReasonNone if it may. A revoked key may still sign the
// DNSKEY RRset that says so (RFC 5011, section 2.1), but that is asked for elsewhere: see TrustPoint.
func (k *zoneKey) usable(set *RRset, zone dname.Name) Reason {
	if why := k.signs(); why != ReasonNone {
		return why
	}
	if k.public == nil {
		return ReasonUnusableKey
	}
	return ReasonNone
}

// Zone is one link of the chain of trust: what is known of the zone with the given apex. It is safe for
// concurrent use as long as nobody writes to it.
type Zone struct {
	Name dname.Name // lower case
	// Result says how far the zone can be trusted: Secure with keys; Insecure if it is proven to be
	// unsigned, or beyond this validator; Bogus; or Indeterminate.
	Result
	Keys *KeySet // of a Secure zone
	TTL  uint32  // for how many seconds this may be kept
}

// Bytes is about how much memory z takes.
func (z *Zone) Bytes() int {
	n := 128 + len(z.Name)
	if z.Keys != nil {
		n += 64 + len(z.Keys.zone)
		for i := range z.Keys.keys {
			k := &z.Keys.keys[i]
			n += 128 + len(k.rdata)
			if k.public != nil { // as numbers
				n += 160 + len(k.rdata)
			}
		}
	}
	return n
}

// brokenTTL is how long in seconds a broken link is kept: as long as RFC 9520, section 3.2, lets a failure be
// cached at least, several times less than it may be cached at most. Unbound keeps bad keys for 60 seconds.
const brokenTTL = 60

// ValidateKeys makes the link of the zone whose DNSKEY RRset is set, which may be nil if there was none, and
// whose DS records at the parent, or from a trust anchor, are ds. They must be Secure themselves; ttl is how
// many seconds they may be kept. The outcome is Secure, Bogus, or Insecure if no DS record is supported.
func (v *Validator) ValidateKeys(zone dname.Name, set *RRset, ds []DS, ttl uint32) *Zone {
	z := &Zone{Name: dname.AppendLower(nil, zone), TTL: brokenTTL}
	chosen, why := v.Policy.chooseDS(ds)
	switch {
	case len(chosen) == 0:
		z.Result, z.TTL = Result{Insecure, why}, ttl
		return z
	case set == nil || set.Type != wire.TypeDNSKEY || !dname.Equal(set.Owner, zone):
		z.Result = Result{Bogus, ReasonNoKeys}
		return z
	}
	keys := v.Policy.newKeySet(zone, set)
	set.Signer, set.Encloser = nil, nil
	set.Result = v.verifyKeys(set, keys, chosen)
	z.Result = set.Result
	if set.Status == Secure {
		z.Keys, z.TTL = keys, min(ttl, set.TTL)
	}
	return z
}

// verifyKeys looks for a key that a DS record vouches for and that signs the DNSKEY RRset (RFC 4035,
// section 5.2).
func (v *Validator) verifyKeys(set *RRset, keys *KeySet, ds []DS) Result {
	cause := ReasonNoDSMatch
	var tried []*zoneKey
	for i := range ds {
		compared := 0 // keys with the record's tag and algorithm
		for j := range keys.keys {
			key := &keys.keys[j]
			if key.tag != ds[i].KeyTag || key.Algorithm != ds[i].Algorithm || slices.Contains(tried, key) {
				continue
			}
			// Key tags are easily made to collide, and each digest costs.
			if compared++; compared > v.Policy.MaxCollisions {
				break
			}
			if !v.Budget.afford(digestMicros, len(key.rdata)) {
				return Result{Bogus, ReasonSignatureBudget}
			}
			if !ds[i].matches(keys.zone, key) {
				continue
			}
			if why := key.signs(); why != ReasonNone {
				cause = why
				continue
			}
			if len(tried) == v.Policy.MaxSignatures {
				return Result{Bogus, ReasonTooManySignatures}
			}
			tried = append(tried, key)
			r := v.verify(set, keys, key)
			if r.Status == Secure || r.Reason == ReasonSignatureBudget {
				return r
			}
			cause = r.Reason
		}
	}
	return Result{Bogus, cause}
}
