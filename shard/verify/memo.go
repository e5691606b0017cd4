package verify

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"

	"heimdall/core/dnssec"
)

// memo remembers which signatures are good, for all threads that verify. Safe for concurrent use.
type memo struct {
	cache        *ristretto.Cache[uint64, remembered]
	batches      chan []remembered // from the threads that verify
	ended        sync.WaitGroup
	hits, misses atomic.Uint64
}

// remembered is an outcome with the whole key: ristretto's is shorter.
type remembered struct {
	key   dnssec.MemoKey
	valid bool
	cost  int // of verifying it once more, in microseconds
}

// Weights of what is remembered. The longer a signature takes to verify, the less it weighs: ristretto has to
// put out fewer others for it. The bounds let memoWeight hold 16,384 quick ones to 32,768 slow ones, of about
// 200 bytes each: 6.5 MB.
const (
	memoWeight   = 1 << 20
	memoLightest = 32
	memoHeaviest = 64
	memoScale    = 2048 // weight times microseconds
)

func newMemo() (*memo, error) {
	c, err := ristretto.NewCache(&ristretto.Config[uint64, remembered]{
		NumCounters: 10 * memoWeight / memoLightest, MaxCost: memoWeight, BufferItems: 64, IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start the memory of signatures: %w", err)
	}
	m := &memo{cache: c, batches: make(chan []remembered, 4)}
	m.ended.Go(func() {
		for batch := range m.batches {
			for _, r := range batch {
				m.put(r)
			}
		}
	})
	return m, nil
}

// Get implements dnssec.Memo.
func (m *memo) Get(key dnssec.MemoKey) (valid, ok bool) {
	r, ok := m.cache.Get(binary.LittleEndian.Uint64(key[:]))
	if ok = ok && r.key == key; ok {
		m.hits.Add(1)
	} else {
		m.misses.Add(1)
	}
	return r.valid, ok
}

// Put implements dnssec.Memo.
func (m *memo) Put(key dnssec.MemoKey, valid bool, cost int) {
	m.put(remembered{key, valid, cost})
}

func (m *memo) put(r remembered) {
	weight := min(max(memoScale/max(r.cost, 1), memoLightest), memoHeaviest)
	m.cache.Set(binary.LittleEndian.Uint64(r.key[:]), r, int64(weight))
}

// close ends what runs. No thread may use the memo, nor its threadMemo, any more.
func (m *memo) close() {
	close(m.batches)
	m.ended.Wait()
	m.cache.Close()
}

// memoBatch is how many outcomes a thread gathers before they are remembered. Ristretto hands each to a goroutine of
// its own: to wake that for each one took a sixth of the CPU time of resolving unknown names on a single CPU.
const memoBatch = 64

// threadMemo is the memo for one thread that verifies. Not safe for concurrent use.
type threadMemo struct {
	*memo
	fresh []remembered // that the others do not know of yet
}

// Get implements dnssec.Memo.
func (m *threadMemo) Get(key dnssec.MemoKey) (valid, ok bool) {
	for i := range m.fresh {
		if m.fresh[i].key == key {
			m.hits.Add(1)
			return m.fresh[i].valid, true
		}
	}
	return m.memo.Get(key)
}

// Put implements dnssec.Memo.
func (m *threadMemo) Put(key dnssec.MemoKey, valid bool, cost int) {
	if m.fresh = append(m.fresh, remembered{key, valid, cost}); len(m.fresh) < memoBatch {
		return
	}
	select {
	case m.batches <- m.fresh:
		m.fresh = make([]remembered, 0, memoBatch)
	default: // ristretto is behind: what it does not take is verified again
		clear(m.fresh)
		m.fresh = m.fresh[:0]
	}
}
