package supervisor

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"

	"heimdall/core/dnssec"
)

// signatureMemo remembers which signatures are good, for all threads that verify.
type signatureMemo struct {
	cache        *ristretto.Cache[uint64, remembered]
	hits, misses atomic.Uint64
}

// remembered is an outcome with the whole key: ristretto's is shorter.
type remembered struct {
	key   dnssec.MemoKey
	valid bool
}

// Weights of what is remembered. The longer a signature takes to verify, the less it weighs: ristretto has to
// put out fewer others for it. The bounds let memoWeight hold 16,384 quick ones to 131,072 slow ones, of about
// 200 bytes each.
const (
	memoWeight   = 1 << 20
	memoLightest = 8
	memoHeaviest = 64
	memoScale    = 2048 // weight times microseconds
)

func newSignatureMemo() (*signatureMemo, error) {
	c, err := ristretto.NewCache(&ristretto.Config[uint64, remembered]{
		NumCounters: 10 * memoWeight / memoLightest, MaxCost: memoWeight, BufferItems: 64, IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start the memory of signatures: %w", err)
	}
	return &signatureMemo{cache: c}, nil
}

// Get implements dnssec.Memo.
func (m *signatureMemo) Get(key dnssec.MemoKey) (valid, ok bool) {
	r, ok := m.cache.Get(binary.LittleEndian.Uint64(key[:]))
	if ok = ok && r.key == key; ok {
		m.hits.Add(1)
	} else {
		m.misses.Add(1)
	}
	return r.valid, ok
}

// Put implements dnssec.Memo.
func (m *signatureMemo) Put(key dnssec.MemoKey, valid bool, cost int) {
	weight := min(max(memoScale/max(cost, 1), memoLightest), memoHeaviest)
	m.cache.Set(binary.LittleEndian.Uint64(key[:]), remembered{key, valid}, int64(weight))
}

func (m *signatureMemo) close() { m.cache.Close() }
