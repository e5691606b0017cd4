package dnssec

import (
	"sync"
	"testing"
)

// coldKey returns a key that stands in no relation to hot but that it wants the same slot.
func coldKey(t *testing.T, hot *p256Key) *p256Key {
	t.Helper()
	for {
		if k, _ := testP256(t, nil); k.xy[0]%hotSlots == hot.xy[0]%hotSlots {
			return k
		}
	}
}

func TestHotKeys(t *testing.T) {
	data := []byte("data")
	key, good := testP256(t, data)
	h := new(HotKeys)
	for i := range hotAfter {
		if h.use(key) != nil != (i == hotAfter-1) {
			t.Fatalf("hot after %d uses", i+1)
		}
	}
	bad := append([]byte(nil), good...)
	bad[0] ^= 1
	if !h.verify(key, data, good) || h.verify(key, data, bad) {
		t.Error("a hot key verifies something else")
	}
	var none *HotKeys
	if !none.verify(key, data, good) || none.verify(key, data, bad) {
		t.Error("without hot keys something else is verified")
	}

	// Keys that are used once do not put it out, as long as it is used as often as all of them.
	for range 3 * hotMost {
		if h.use(coldKeyOf(key)) != nil {
			t.Fatal("a key that is used once is hot")
		}
		if h.use(key) == nil {
			t.Fatal("a key that is used all the time is not hot any more")
		}
	}
	// Another one that is used all the time does.
	next := coldKey(t, key)
	for i := range hotMost + 1 + hotAfter {
		h.use(next)
		if i == hotMost && h.use(key) != nil {
			t.Error("a key is hot that is not used any more")
		}
	}
	if h.use(next) == nil {
		t.Error("the next key does not get hot")
	}
}

// coldKeyOf returns what passes for a key for the slot of hot, but is not.
func coldKeyOf(hot *p256Key) *p256Key {
	k := &p256Key{xy: hot.xy}
	k.xy[1] ^= 1
	return k
}

// Threads that verify share hot keys.
func TestHotKeysConcurrently(t *testing.T) {
	data := []byte("data")
	key, good := testP256(t, data)
	h := new(HotKeys)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 2 * hotAfter {
				if !h.verify(key, data, good) {
					t.Error("not valid")
				}
			}
		})
	}
	all.Wait()
}
