package supervisor

import "context"

// retire takes a version out of service whose memory is given back when no shard uses it any more. nil: there is none.
func (z *zoneStore) retire(version zoneCopies) {
	if version != nil {
		z.retired = append(z.retired, version)
	}
}

// exchange gives all shards the present set, and gives back the memory of what is retired. On an error some shard may
// still use it: it stays until the next exchange that succeeds.
func (z *zoneStore) exchange(ctx context.Context) error {
	z.mu.Lock()
	sets := z.current
	z.mu.Unlock()
	if err := z.swap(ctx, sets); err != nil {
		return err
	}
	for _, version := range z.retired {
		version.unmap()
	}
	z.retired = nil
	return nil
}

// settle makes up for an exchange that failed, before other versions are loaded: while a shard keeps an old set, there
// is one version more of each zone at most, however often it is reloaded.
func (z *zoneStore) settle(ctx context.Context) error {
	if len(z.retired) == 0 {
		return nil
	}
	return z.exchange(ctx)
}
