package dnssec

import "sync"

// HotKeys speeds up the keys that verify most: those of the zones that delegate the others, one of which stands
// behind every second signature. The zero value is ready, takes up to 1.5 MiB, and is safe for concurrent use.
//
// Each slot is for the keys whose first octets are alike, and its holder is the one that more than half of the uses
// are of (Boyer and Moore, "MJRTY", 1981), so that the many keys that are used once or twice put out none that
// is used all the time. Whoever makes keys for a slot of someone else's takes from it what it gained, and no more.
type HotKeys struct {
	slots [hotSlots]hotSlot
}

const (
	hotSlots = 32
	// hotAfter is the uses after which a comb is made: it takes the time that 10 uses of it save.
	hotAfter = 16
	// hotMost bounds the lead of a key that is not used any more.
	hotMost = 256
)

type hotSlot struct {
	mu   sync.Mutex
	key  [2 * p256Size]byte
	lead int   // uses of key less those of others since it came
	comb *comb // nil: not used often enough yet
}

// use counts a use of key and returns its comb, if it has one.
func (h *HotKeys) use(key *p256Key) *comb {
	s := &h.slots[key.xy[0]%hotSlots]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.key == key.xy:
		s.lead = min(s.lead+1, hotMost)
	case s.lead > 0:
		s.lead--
		return nil
	default:
		s.key, s.lead, s.comb = key.xy, 1, nil
	}
	if s.comb == nil && s.lead >= hotAfter {
		s.comb = newComb(key.point)
	}
	return s.comb
}

// verify is key.verify, faster if the key is used often. Nothing is known to h if it is nil.
func (h *HotKeys) verify(key publicKey, data, signature []byte) bool {
	if k, ok := key.(*p256Key); ok && h != nil {
		return k.verifyWith(h.use(k), data, signature)
	}
	return key.verify(data, signature)
}
