package known

import "heimdall/core/dname"

const (
	// maxPurges bounds the purges under way at once, each of which is asked about what is found meanwhile.
	maxPurges = 16

	// purgeStep is how many bytes of memory one Step looks through for entries to forget.
	purgeStep = 8 << 10
)

// Purge forgets all that matches by its kind and name: what is found from now on is asked about, and the rest goes with
// each Step.
func (s *Store) Purge(match func(Kind, dname.Name) bool) {
	if s.store == nil {
		return
	}
	if !s.store.Purging() {
		s.purges = s.purges[:0]
	}
	if len(s.purges) == maxPurges {
		s.purges = s.purges[:0]
		s.store.Clear()
		return
	}
	s.purges = append(s.purges, match) // A purge takes the place of the one before, and has to cover its names too.
	s.store.Purge(func(key []byte) bool {
		for _, match := range s.purges {
			if match(Kind(key[0]), dname.Name(key[keyHeader:])) {
				return true
			}
		}
		return false
	})
}

// Step goes on with what Purge has begun.
func (s *Store) Step() {
	if s.store != nil && s.store.Purging() {
		s.store.PurgeStep(purgeStep)
	}
}
