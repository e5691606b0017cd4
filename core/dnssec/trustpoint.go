package dnssec

import (
	"bytes"
	"slices"

	"heimdall/core/dname"
)

// KeyState is the state of a key in RFC 5011, section 4. State Start is that of keys not tracked.
type KeyState uint8

const (
	// KeyPending: seen, and on the way to be trusted.
	KeyPending KeyState = iota
	// KeyValid: trusted.
	KeyValid
	// KeyMissing: trusted, but not in the zone any more.
	KeyMissing
	// KeyRevoked: has signed its own revocation.
	KeyRevoked
	// KeyRemoved: no longer of interest, remembered so as not to be trusted again.
	KeyRemoved
)

// String returns the state's name.
func (s KeyState) String() string {
	if int(s) < len(keyStates) {
		return keyStates[s]
	}
	return "unknown"
}

var keyStates = []string{"pending", "valid", "missing", "revoked", "removed"}

const (
	day = 86400 // seconds

	// addHoldDown is for how many seconds a new key must be seen before it is trusted, and removeHoldDown
	// for how many a revoked one is kept (RFC 5011, sections 2.4.1 and 2.4.2).
	addHoldDown    = 30 * day
	removeHoldDown = 30 * day
	// keepMissing is for how many seconds a key that is missing stays trusted while another is valid; the
	// RFC knows no end. The number is Unbound's.
	keepMissing = 366 * day
	// minSeen is the number of responses that must have shown a new key, so that one good response before
	// and one after a long time without network are not enough. The number is Unbound's.
	minSeen = 2
	// maxTracked bounds the keys of one trust point. The root has had 3 at once.
	maxTracked = 32
)

// TrackedKey is a key of a trust point.
type TrackedKey struct {
	RData []byte // of the DNSKEY record, without the REVOKE flag
	State KeyState
	Since int64 // when it got into State, in seconds since 1970
	Hold  int64 // for how many seconds it must be pending
	Seen  int   // responses that have shown it while pending
}

// TrustPoint follows the keys of a zone from those that the operator trusts to those that replace them
// (RFC 5011). Times are wall time in seconds since 1970. Its owner asks for the zone's DNSKEY RRset when Next
// has come, hands it to Observe, and stores the text form when that says so. Not safe for concurrent use.
type TrustPoint struct {
	Zone dname.Name
	// Seed is what the operator trusts. A DS record in it counts until its key is tracked.
	Seed []DS
	Keys []TrackedKey
	Next int64 // when to ask next
	// Retry is for how many seconds to wait after a failure.
	Retry int64
}

// Observation is what Observe found.
type Observation struct {
	Result        // of the DNSKEY RRset
	Changed bool  // a key changed its state: store the trust point, use Anchor anew
	Keys    *Zone // the zone's link of the chain of trust, if the RRset is Secure
}

// Anchor returns the trust anchor as it is now. Without DS records all keys are revoked, and the zone is to
// be taken for unsigned (RFC 5011, section 5).
func (t *TrustPoint) Anchor() Anchor {
	a := Anchor{Zone: t.Zone}
	for i := range t.Keys {
		if k := &t.Keys[i]; k.State == KeyValid || k.State == KeyMissing {
			if ds, ok := MakeDS(t.Zone, k.RData, DigestSHA256); ok {
				a.DS = append(a.DS, ds)
			}
		}
	}
	for _, ds := range t.Seed {
		tracked := func(k TrackedKey) bool { return ds.vouches(t.Zone, k.RData) }
		if !slices.ContainsFunc(t.Keys, tracked) {
			a.DS = append(a.DS, ds)
		}
	}
	return a
}

// seeded reports whether the operator trusts the key.
func (t *TrustPoint) seeded(key []byte) bool {
	return slices.ContainsFunc(t.Seed, func(d DS) bool { return d.vouches(t.Zone, key) })
}

// vouches reports whether d was made from a key.
func (d *DS) vouches(zone dname.Name, key []byte) bool {
	k, ok := ParseDNSKEY(key)
	return ok && d.matches(zone, &zoneKey{DNSKEY: k, tag: KeyTag(key), rdata: key})
}

// Fail notes that there was no response to the query for the keys.
func (t *TrustPoint) Fail(now int64) { t.Next = now + max(t.Retry, minInterval) }

// Observe takes the zone's DNSKEY RRset and moves the keys on to their next states.
func (t *TrustPoint) Observe(v *Validator, set *RRset) Observation {
	changed := t.revoke(v, set)
	zone := v.ValidateKeys(t.Zone, set, t.Anchor().DS, set.TTL)
	o := Observation{Result: zone.Result, Changed: changed}
	if zone.Status != Secure {
		t.Fail(v.Now)
		return o
	}
	o.Keys = zone
	seen := make(map[int]bool) // by index in t.Keys
	for _, rdata := range set.Data {
		if i, moved := t.present(v, set, rdata); i >= 0 {
			seen[i] = true
			o.Changed = o.Changed || moved
		}
	}
	o.Changed = t.absent(v.Now, seen) || o.Changed
	t.schedule(v.Now, set)
	return o
}

// revoke looks for keys that have signed their own revocation. It takes no other signature for that (RFC
// 5011, section 2.1).
func (t *TrustPoint) revoke(v *Validator, set *RRset) (changed bool) {
	for _, rdata := range set.Data {
		k, ok := ParseDNSKEY(rdata)
		if !ok || k.Flags&FlagRevoke == 0 || k.Flags&FlagZone == 0 || !v.Policy.supports(k.Algorithm) {
			continue
		}
		k.Flags &^= FlagRevoke
		former := k.Append(nil)
		i := t.find(former)
		if i < 0 && !t.seeded(former) || i >= 0 && t.Keys[i].State != KeyValid && t.Keys[i].State != KeyMissing {
			continue
		}
		// The signature's key tag is that of the key with the flag.
		self := KeySet{zone: t.Zone, keys: []zoneKey{{
			DNSKEY: k, tag: KeyTag(rdata), rdata: rdata, public: parsePublicKey(k.Algorithm, k.PublicKey),
		}}}
		if v.verify(set, &self, nil).Status != Secure {
			continue
		}
		if i < 0 {
			t.Keys = append(t.Keys, TrackedKey{RData: former})
			i = len(t.Keys) - 1
		}
		t.Keys[i].move(KeyRevoked, v.Now)
		changed = true
	}
	return changed
}

// find returns the index of the key with the given RDATA, -1 if it is not tracked.
func (t *TrustPoint) find(rdata []byte) int {
	return slices.IndexFunc(t.Keys, func(k TrackedKey) bool { return bytes.Equal(k.RData, rdata) })
}

// move changes the state.
func (k *TrackedKey) move(to KeyState, now int64) { k.State, k.Since, k.Seen = to, now, 0 }
