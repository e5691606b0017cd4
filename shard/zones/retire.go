package zones

import "errors"

// errUnsettled: while a shard keeps an old set, there is one version more of each zone at most, however often it is reloaded.
var errUnsettled = errors.New("a shard has not taken the zones that were loaded before; see `heimdallctl shards`")

// retire takes versions out of service. Their memory is given back by settled, which is called when no shard uses them any
// more; until then no others are loaded. Some may be nil.
func (z *Store) retire(gone []version) (settled func()) {
	z.unsettled.Add(1)
	return func() {
		unmapAll(gone)
		z.unsettled.Add(-1)
	}
}

// isSettled tells whether other versions may be loaded.
func (z *Store) isSettled() error {
	if z.unsettled.Load() > 0 {
		return errUnsettled
	}
	return nil
}

// unmapAll gives the memory of versions back.
func unmapAll(gone []version) {
	for _, version := range gone {
		version.unmap()
	}
}
