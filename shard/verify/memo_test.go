package verify

import (
	"encoding/binary"
	"testing"

	"heimdall/core/dnssec"
)

// What one thread has found out it knows at once, and the others when a batch is full.
func TestThreadMemo(t *testing.T) {
	m, err := newMemo()
	if err != nil {
		t.Fatal(err)
	}
	key := func(i int) (k dnssec.MemoKey) {
		binary.LittleEndian.PutUint64(k[:], uint64(i)*0x9e3779b97f4a7c15)
		return k
	}
	one, other := &threadMemo{memo: m}, &threadMemo{memo: m}
	for i := range memoBatch {
		if _, ok := one.Get(key(i)); ok {
			t.Fatalf("%d is known before it was put", i)
		}
		if _, ok := other.Get(key(0)); ok {
			t.Fatal("another thread knows what only this one has found out")
		}
		one.Put(key(i), i%2 == 0, 50)
		if i+1 < memoBatch {
			if valid, ok := one.Get(key(i)); !ok || valid != (i%2 == 0) {
				t.Fatalf("%d: valid %v, known %v", i, valid, ok)
			}
		}
	}
	if len(one.fresh) != 0 {
		t.Errorf("%d of a full batch are left", len(one.fresh))
	}
	close(m.batches)
	m.ended.Wait()
	m.cache.Wait()
	for i := range memoBatch {
		if valid, ok := other.Get(key(i)); !ok || valid != (i%2 == 0) {
			t.Errorf("%d: valid %v, known %v to another thread", i, valid, ok)
		}
	}
	m.cache.Close()
}

// While nobody takes batches, a thread forgets instead of growing or waiting.
func TestThreadMemoDoesNotWait(t *testing.T) {
	one := &threadMemo{memo: &memo{batches: make(chan []remembered)}}
	for range 3 * memoBatch {
		one.Put(dnssec.MemoKey{}, true, 50)
	}
	if len(one.fresh) != 0 || cap(one.fresh) > 2*memoBatch {
		t.Errorf("%d are left, room for %d", len(one.fresh), cap(one.fresh))
	}
}
