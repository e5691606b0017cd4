package dnssec

import "slices"

// minInterval is the shortest time in seconds between two queries for a trust point's keys (RFC 5011,
// section 2.3).
const minInterval = 3600

// present moves a key that a Secure DNSKEY RRset shows, and returns its index, -1 if it is not tracked.
func (t *TrustPoint) present(v *Validator, set *RRset, rdata []byte) (index int, changed bool) {
	k, ok := ParseDNSKEY(rdata)
	if !ok || k.signs() != ReasonNone || !v.Policy.supports(k.Algorithm) {
		return -1, false
	}
	i := t.find(rdata)
	if i < 0 {
		return t.track(v, set, rdata, k)
	}
	key := &t.Keys[i]
	switch key.State {
	case KeyPending:
		key.Seen++
		// RFC 5011, section 2.2: trusted with the first validated RRset after the time.
		if v.Now-key.Since < key.Hold || key.Seen < minSeen {
			return i, true // the count is worth storing
		}
		key.move(KeyValid, v.Now)
	case KeyMissing:
		key.move(KeyValid, v.Now)
	default:
		return i, false
	}
	return i, true
}

// track begins to follow a key, if it is one to be trusted at once or a secure entry point.
func (t *TrustPoint) track(v *Validator, set *RRset, rdata []byte, k DNSKEY) (index int, changed bool) {
	seeded := t.seeded(rdata)
	if len(t.Keys) >= maxTracked || !seeded && k.Flags&FlagSEP == 0 {
		return -1, false
	}
	key := TrackedKey{RData: slices.Clone(rdata), State: KeyPending, Since: v.Now, Seen: 1}
	if seeded {
		key.move(KeyValid, v.Now)
	} else {
		// RFC 5011, section 2.4.1: 30 days, or the original TTL if that is longer.
		ttl, _ := lifetimes(set, v.Now)
		key.Hold = max(addHoldDown, ttl)
	}
	t.Keys = append(t.Keys, key)
	return len(t.Keys) - 1, true
}

// absent moves the keys that the RRset did not show.
func (t *TrustPoint) absent(now int64, seen map[int]bool) (changed bool) {
	valid := slices.ContainsFunc(t.Keys, func(k TrackedKey) bool { return k.State == KeyValid })
	kept := t.Keys[:0]
	for i, key := range t.Keys {
		// A removed key is forgotten, unless that would make the operator's trust in it come back.
		if key.State == KeyRemoved && !t.seeded(key.RData) {
			changed = true
			continue
		}
		switch {
		case key.State == KeyPending && !seen[i]:
			changed = true
			continue // back to Start
		case key.State == KeyValid && !seen[i]:
			key.move(KeyMissing, now)
			changed = true
		case key.State == KeyMissing && now-key.Since >= keepMissing && valid,
			key.State == KeyRevoked && now-key.Since >= removeHoldDown:
			key.move(KeyRemoved, now)
			changed = true
		}
		kept = append(kept, key)
	}
	t.Keys = kept
	return changed
}

// schedule sets the time of the next query and of a retry (RFC 5011, section 2.3).
func (t *TrustPoint) schedule(now int64, set *RRset) {
	ttl, life := lifetimes(set, now)
	t.Next = now + max(minInterval, min(15*day, ttl/2, life/2))
	t.Retry = max(minInterval, min(day, ttl/10, life/10))
}

// lifetimes returns the shortest original TTL of set's signatures, and the shortest time that is left of
// them, both in seconds.
func lifetimes(set *RRset, now int64) (ttl, life int64) {
	ttl, life = 1<<32-1, 1<<31-1
	for _, rdata := range set.Sigs {
		if s, ok := ParseRRSIG(rdata); ok && s.TypeCovered == set.Type {
			ttl = min(ttl, int64(s.OriginalTTL))
			life = min(life, int64(int32(s.Expiration-uint32(now))))
		}
	}
	return ttl, max(0, life)
}
