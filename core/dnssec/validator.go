package dnssec

import (
	"crypto/sha256"
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Validator makes the checks of one job: it holds the time, the limits and the memo that they share. All
// fields but Memo and Hot must be set. Not safe for concurrent use; what it is given besides these belongs to the
// job, except for the policy and the keys, which are only read.
type Validator struct {
	Policy *Policy
	Now    int64 // wall time in seconds since 1970, for signature lifetimes
	Budget *Budget
	Memo   Memo     // nil: nothing is remembered
	Hot    *HotKeys // nil: all keys are alike
}

// Verify checks whether one of set's signatures was made by one of keys, and records the outcome in set.
// The status is Secure or Bogus.
//
// A set made from a wildcard is Secure too, with its Encloser set; what that is worth is for Validate.
func (v *Validator) Verify(set *RRset, keys *KeySet) Result {
	if set.Status == Secure && set.Signer != nil && dname.Equal(set.Signer, keys.zone) {
		return set.Result
	}
	set.Signer, set.Encloser = nil, nil
	set.Result = v.verify(set, keys, nil)
	return set.Result
}

// verify is Verify with only one of the keys if only is not nil, and without a look at the set's status.
func (v *Validator) verify(set *RRset, keys *KeySet, only *zoneKey) Result {
	cause := ReasonUnsigned
	var form *canonical
	tries := 0 // verifications of this set
	for _, rdata := range set.Sigs {
		sig, ok := ParseRRSIG(rdata)
		if !ok || sig.TypeCovered != set.Type {
			cause = max(cause, ReasonSignatureMalformed)
			continue
		}
		if why := v.checkSignature(set, keys, &sig); why != ReasonNone {
			cause = max(cause, why)
			continue
		}
		matches := 0 // keys with the signature's tag and algorithm
		for i := range keys.keys {
			key := &keys.keys[i]
			if key.tag != sig.KeyTag || key.Algorithm != sig.Algorithm || only != nil && key != only {
				continue
			}
			matches++
			if why := key.usable(set, keys.zone); why != ReasonNone {
				cause = max(cause, why)
				continue
			}
			if tries >= v.Policy.MaxSignatures || matches > v.Policy.MaxCollisions {
				return Result{Bogus, ReasonTooManySignatures}
			}
			tries++
			if form == nil {
				form = newCanonical(set)
			}
			valid, why := v.verifyOne(key, form.signed(&sig), sig.Signature)
			if valid {
				v.accept(set, keys.zone, &sig)
				return Result{Secure, ReasonNone}
			}
			if why == ReasonSignatureBudget {
				return Result{Bogus, why}
			}
			cause = max(cause, why)
		}
		if matches == 0 {
			cause = max(cause, ReasonNoKey)
		}
	}
	return Result{Bogus, cause}
}

// checkSignature reports why sig cannot make set secure, whatever the key says (RFC 4035, section 5.3.1).
func (v *Validator) checkSignature(set *RRset, keys *KeySet, sig *RRSIG) Reason {
	if !dname.Equal(sig.Signer, keys.zone) || !maySign(keys.zone, set) {
		return ReasonSignerName
	}
	labels := int(sig.Labels)
	if labels > signableLabels(set.Owner) || labels < sig.Signer.Labels() {
		return ReasonLabelCount
	}
	if labels < signableLabels(set.Owner) && !expandable(set.Type) {
		return ReasonWildcardAlias
	}
	if !v.Policy.supports(sig.Algorithm) {
		return ReasonUnsupportedAlgorithm
	}
	if !ownsDenial(set, keys.zone) {
		return ReasonOwnerName
	}
	return v.Policy.checkTime(sig, uint32(v.Now))
}

// expandable reports whether records of type t may be made from a wildcard. DNAME at a wildcard is
// undefined (RFC 6672, section 3.3); the others stand at the apex or at a zone cut, or in a chain of hashes.
func expandable(t wire.Type) bool {
	switch t {
	case wire.TypeDNAME, wire.TypeDNSKEY, wire.TypeDS, wire.TypeSOA, wire.TypeNSEC3, wire.TypeNSEC3PARAM:
		return false
	}
	return true
}

// ownsDenial reports whether the zone may have set's records if they are NSEC or NSEC3: an NSEC record's
// next name lies in the zone, an NSEC3 record stands one label below the apex.
func ownsDenial(set *RRset, zone dname.Name) bool {
	switch set.Type {
	case wire.TypeNSEC3:
		return len(set.Owner) > 1 && dname.Equal(set.Owner.Parent(), zone)
	case wire.TypeNSEC:
		for _, rdata := range set.Data {
			if n, ok := ParseNSEC(rdata); !ok || !n.Next.In(zone) {
				return false
			}
		}
	}
	return true
}

// verifyOne asks the memo or makes one public key operation, if the budget allows it.
func (v *Validator) verifyOne(key *zoneKey, data, signature []byte) (valid bool, why Reason) {
	var memo MemoKey
	if v.Memo != nil {
		memo = memoKey(key.rdata, data, signature)
		if valid, ok := v.Memo.Get(memo); ok {
			return valid, outcome(valid)
		}
	}
	if v.Budget.Signatures <= 0 || v.Budget.Failures <= 0 || !v.Budget.afford(key.public.cost(), len(data)) {
		return false, ReasonSignatureBudget
	}
	v.Budget.Signatures--
	valid = v.Hot.verify(key.public, data, signature)
	if !valid {
		v.Budget.Failures--
	}
	if v.Memo != nil {
		v.Memo.Put(memo, valid, key.public.cost())
	}
	return valid, outcome(valid)
}

func outcome(valid bool) Reason {
	if valid {
		return ReasonNone
	}
	return ReasonInvalid
}

// memoKey hashes what the outcome of a public key operation depends on.
func memoKey(key, data, signature []byte) (k MemoKey) {
	var buf [1024]byte // enough for most, so that nothing is allocated
	b := binary.BigEndian.AppendUint16(buf[:0], uint16(len(key)))
	b = append(b, key...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(signature)))
	b = append(b, signature...)
	b = append(b, data...)
	return sha256.Sum256(b)
}

// accept records in set that sig, of zone, is a good signature of it.
func (v *Validator) accept(set *RRset, zone dname.Name, sig *RRSIG) {
	set.Signer = zone
	set.TTL = sig.limitTTL(set.TTL, uint32(v.Now))
	if labels := int(sig.Labels); labels < signableLabels(set.Owner) {
		set.Encloser = set.Owner.Suffix(labels)
	}
}
