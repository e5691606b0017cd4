package cache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// model is a plain map of what was put: the store may have forgotten any of it, but returns nothing else.
type model map[string]modelEntry

type modelEntry struct {
	value   []byte
	expires uint32
}

func testStore(t testing.TB, size int) *Store {
	t.Helper()
	s, err := NewStore(StoreOptions{Memory: make([]byte, size)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hashOf is a bad hash on purpose when few is set: many keys share all 32 bits that the index keeps.
func hashOf(key []byte, few bool) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h = scramble(h)
	if few {
		h &= 0x7f
	}
	return h
}

// TestModel drives stores of several sizes with random operations and compares them with a map.
func TestModel(t *testing.T) {
	for _, c := range []struct {
		memory, keys, largest int
		few                   bool
	}{
		{MinMemory, 3000, 200, false},  // evicts
		{MinMemory, 3000, 4000, false}, // entries up to half a segment
		{MinMemory, 500, 100, true},    // full buckets
		{2 << 20, 60_000, 100, false},  // grows over several index pages
		{777_777, 20_000, 1000, false}, // no power of two
	} {
		t.Run(fmt.Sprint(c.memory, c.keys, c.largest, c.few), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, uint64(c.keys)))
			memory := bytes.Repeat([]byte{0xA5}, c.memory) // not zeroed
			s, err := NewStore(StoreOptions{Memory: memory})
			if err != nil {
				t.Fatal(err)
			}
			m := model{}
			now := uint32(1)
			key, purged := make([]byte, 0, 300), byte(0)
			for i := range 200_000 {
				n := rnd.IntN(c.keys)
				if rnd.IntN(2) == 0 {
					n = rnd.IntN(1 + c.keys/10)
				}
				key = binary.BigEndian.AppendUint32(key[:0], uint32(n))
				key = append(key, make([]byte, n%23)...)
				hash := hashOf(key, c.few)
				switch op := rnd.IntN(1000); {
				case op < 500:
					m.checkGet(t, s, hash, key, now)
				case op < 970:
					value := bytes.Repeat([]byte{byte(i)}, rnd.IntN(c.largest))
					expires := now + 1 + uint32(rnd.IntN(40))
					if s.Put(hash, key, value, expires, now) == Stored {
						m[string(key)] = modelEntry{value, expires}
					} else {
						delete(m, string(key)) // an older value may be found or not: neither is wrong
						s.Delete(hash, key)
					}
				case op < 990:
					s.Delete(hash, key)
					delete(m, string(key))
				case op < 994:
					now += uint32(rnd.IntN(10))
				case op < 995:
					if !s.Purging() {
						purged = 0
					}
					purged |= 1 << rnd.IntN(8)
					mask := purged
					s.Purge(func(key []byte) bool { return key[3]&mask != 0 })
					for k := range m {
						if k[3]&mask != 0 {
							delete(m, k)
						}
					}
				case i%1000 == 0:
					s.Clear()
					clear(m)
				default:
					s.PurgeStep(rnd.IntN(100_000))
				}
				if i%5000 == 0 {
					s.check(t)
				}
			}
			s.check(t)
		})
	}
}

func (m model) checkGet(t *testing.T, s *Store, hash uint64, key []byte, now uint32) {
	t.Helper()
	item, ok := s.Get(hash, key, now)
	want, known := m[string(key)]
	fresh := known && now < want.expires
	if ok && !fresh {
		t.Fatalf("key %x: found, want nothing", key)
	}
	if ok && (!bytes.Equal(item.Value, want.value) || item.Expires != want.expires) {
		t.Fatalf("key %x: got %d bytes until %d, want %d until %d", key, len(item.Value), item.Expires, len(want.value), want.expires)
	}
}

// TestKeepsAll: while there is room, nothing is forgotten.
func TestKeepsAll(t *testing.T) {
	s := testStore(t, 2<<20)
	m := model{}
	var key [6]byte
	put := func(i uint32) {
		binary.BigEndian.PutUint32(key[:], i)
		hash, value := hashOf(key[:], false), bytes.Repeat([]byte{byte(i)}, int(i%50))
		if got := s.Put(hash, key[:], value, forever, 0); got != Stored {
			t.Fatalf("Put = %v", got)
		}
		m[string(key[:])] = modelEntry{value, forever}
	}
	for i := range uint32(20_000) {
		put(i)
		put(i / 2) // in place
	}
	s.check(t)
	for k, want := range m {
		if item, ok := s.Get(hashOf([]byte(k), false), []byte(k), 5); !ok || !bytes.Equal(item.Value, want.value) {
			t.Fatalf("key %x: %v, %v", k, item, ok)
		}
	}
	if n := s.Stats().Entries; n != len(m) {
		t.Errorf("%d entries, want %d", n, len(m))
	}
}

// check walks all structures and compares what they say of each other.
func (s *Store) check(t *testing.T) {
	t.Helper()
	owner := make([]string, len(s.segs.table)) // what each segment is used for
	claim := func(n uint32, by string) {
		if owner[n] != "" {
			t.Fatalf("segment %d is %s and %s", n, owner[n], by)
		}
		owner[n] = by
	}
	free := 0
	for n := s.segs.released; n != noSegment; n = s.segs.table[n].next {
		claim(n, "free")
		free++
	}
	if free != s.segs.nreleased {
		t.Fatalf("%d released segments, counted %d", free, s.segs.nreleased)
	}
	for n := int(s.segs.untouched); n < len(s.segs.table); n++ {
		claim(uint32(n), "untouched")
	}
	for _, q := range []*queue{&s.small, &s.main} {
		bytes := -int(q.seen)
		for n := q.oldest; n != noSegment; n = s.segs.table[n].next {
			claim(n, "queue")
			bytes += int(s.segs.table[n].used)
			if next := s.segs.table[n].next; (next == noSegment) != (n == q.youngest) {
				t.Fatalf("queue ends at segment %d, youngest is %d", n, q.youngest)
			}
		}
		if bytes != q.bytes {
			t.Fatalf("queue has %d bytes, counted %d", bytes, q.bytes)
		}
	}
	for _, first := range s.index.pages {
		claim(first>>s.index.pageShift, "index")
	}

	lines, entries := 0, uint32(0)
	for b := range s.index.buckets {
		full := true
		for n := s.index.lineOf(b); ; {
			l, used := s.index.at(n), 0
			if n != s.index.lineOf(b) {
				lines++
			}
			if !full {
				t.Fatalf("bucket %d: an overflow line after one with room", b)
			}
			for i := range slotsPerLine {
				v := l.slot(i)
				if slotLocation(v) == emptySlot {
					continue
				}
				if s.index.bucket(slotHash(v)) != s.index.lineOf(b) {
					t.Fatalf("bucket %d has a slot of another", b)
				}
				if live(v) {
					used++
					off := int(slotLocation(v)) << 3
					if h := loadHeader(s.mem[off:]); h.hash != slotHash(v) || owner[off>>s.segs.shift] != "queue" {
						t.Fatalf("bucket %d: slot leads to no entry", b)
					}
				}
			}
			entries += uint32(used)
			full = used == slotsPerLine
			if n = l.next(); n == 0 {
				break
			}
		}
	}
	if entries != s.index.entries || lines != s.index.overflow {
		t.Fatalf("index has %d entries and %d overflow lines, counted %d and %d", entries, lines, s.index.entries, s.index.overflow)
	}
}
