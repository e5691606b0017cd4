package ring

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// patience bounds every wait. It is a guard against hanging, not a claim about speed.
const patience = 30 * time.Second

// random makes a record whose content follows from n.
func random(n uint64, to *Record) {
	rnd := rand.New(rand.NewPCG(n, 1))
	octets := func(most int) []byte {
		b := make([]byte, rnd.IntN(most))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	most := 300
	if n%1000 == 0 {
		most = 65536
	}
	*to = Record{
		Kind: Kind(rnd.IntN(2)), Transport: Transport(rnd.IntN(5)), Source: uint8(rnd.Uint32()), Bits: Bits(rnd.Uint32()), Asked: rnd.Int64(),
		PeerPort: uint16(rnd.Uint32()), LocalPort: uint16(rnd.Uint32()), Flags: uint16(rnd.Uint32()), Rcode: uint16(rnd.Uint32()),
		EDE: uint16(rnd.Uint32()), Question: uint16(rnd.Uint32()), Size: uint16(rnd.Uint32()), Query: octets(most), Response: octets(most), Zone: octets(256),
	}
	copy(to.Peer[:], octets(17))
	copy(to.Local[:], octets(17))
}

// same compares what was written with what was read.
func same(a, b *Record) bool {
	x, y := *a, *b
	x.Query, y.Query, x.Response, y.Response, x.Zone, y.Zone, x.Ended, y.Ended = nil, nil, nil, nil, nil, nil, 0, 0
	return reflect.DeepEqual(x, y) && bytes.Equal(a.Query, b.Query) && bytes.Equal(a.Response, b.Response) && bytes.Equal(a.Zone, b.Zone)
}

// What a writer publishes comes to a reader on another thread, whole and in order, with the end of its batch; what found no
// room is missing, and the writer knows.
func TestReaderGetsWhatWasPublished(t *testing.T) {
	const total = 10_000
	r := New(MinSize, make(chan struct{}, 1))
	put := make(chan []uint64, 1)
	go func() {
		var list []uint64
		var rec Record
		for n := uint64(1); n <= total; n++ {
			if random(n, &rec); r.Put(&rec) {
				list = append(list, n)
			}
			if n%7 == 0 || n == total {
				if r.Publish(int64(n)); r.Pending() {
					t.Error("pending after it was published")
				}
			}
			if n%1000 == 0 {
				time.Sleep(time.Millisecond) // or hardly anything would find room
			}
		}
		put <- list
	}()
	var got []Record
	var ended []int64
	var list []uint64
	for end := time.Now().Add(patience); list == nil; {
		select {
		case list = <-put:
		default:
		}
		for rec := (Record{}); r.Next(&rec); {
			rec.Query, rec.Response, rec.Zone = bytes.Clone(rec.Query), bytes.Clone(rec.Response), bytes.Clone(rec.Zone)
			got, ended = append(got, rec), append(ended, rec.Ended)
		}
		r.Release()
		if time.Now().After(end) {
			t.Fatal("waited in vain for the writer")
		}
	}
	if len(got) != len(list) || len(list) < total/100 {
		t.Fatalf("%d records of %d that were put", len(got), len(list))
	}
	var want Record
	for i, n := range list {
		batch := min(int64(n+6)/7*7, total)
		if random(n, &want); !same(&want, &got[i]) || ended[i] != batch {
			t.Fatalf("record %d is\n%+v\nand ended at %d, want\n%+v\n%d", i, got[i], ended[i], want, batch)
		}
	}
}

// A full ring takes nothing more, until the reader has made room.
func TestFullRing(t *testing.T) {
	r := New(1, nil)
	rec := Record{Response: make([]byte, 1000)}
	n := 0
	for r.Put(&rec) {
		n++
	}
	if size := n * (recordHeader + 1000); size > MinSize || size < MinSize-2*1100 {
		t.Errorf("%d records of %d bytes", n, recordHeader+1000)
	}
	r.Publish(1)
	if r.Put(&rec) {
		t.Error("room in a full ring")
	}
	var got Record
	for range n {
		if !r.Next(&got) {
			t.Fatal("a record is missing")
		}
	}
	if r.Put(&rec) || r.Next(&got) {
		t.Error("room before it is released")
	}
	if r.Release(); !r.Put(&rec) {
		t.Error("no room after it was released")
	}
}

// No record has messages that are longer than DNS has them.
func TestLongMessages(t *testing.T) {
	r := New(MinSize, nil)
	if rec := (Record{Query: make([]byte, 65535), Response: make([]byte, 65535), Zone: make([]byte, 255)}); !r.Put(&rec) {
		t.Error("no room for the longest")
	}
	for _, rec := range []Record{{Query: make([]byte, 65536)}, {Response: make([]byte, 65536)}, {Zone: make([]byte, 256)}} {
		if r.Put(&rec) {
			t.Error("one that is longer is taken")
		}
	}
}

// A reader that sleeps is woken when a quarter is full, once; one that is awake is not.
func TestReaderIsWoken(t *testing.T) {
	wake := make(chan struct{}, 1)
	r := New(MinSize, wake)
	rec := Record{Response: make([]byte, 1000)}
	fill := func() (woken bool) {
		for range MinSize / 3 / 1000 {
			r.Put(&rec)
			r.Publish(1)
		}
		select {
		case <-wake:
			return true
		default:
			return false
		}
	}
	if fill() {
		t.Error("one that is awake is woken")
	}
	r.Sleep()
	if !fill() {
		t.Error("one that sleeps is not woken")
	}
	for got := (Record{}); r.Next(&got); {
	}
	r.Release()
	r.Sleep()
	r.Put(&rec)
	if r.Publish(1); len(wake) > 0 {
		t.Error("woken for little")
	}
}

// A writer that ended in the middle of a batch leaves nothing behind that the next one's reader would see.
func TestReopen(t *testing.T) {
	r := New(MinSize, nil)
	r.Put(&Record{Asked: 1})
	r.Publish(1)
	r.Put(&Record{Asked: 2})
	r.Reopen()
	r.Put(&Record{Asked: 3})
	r.Publish(2)
	var got Record
	var list []int64
	for r.Next(&got) {
		list = append(list, got.Asked)
	}
	if len(list) != 2 || list[0] != 1 || list[1] != 3 {
		t.Errorf("%v", list)
	}
}

func TestPutAllocates0(t *testing.T) {
	r := New(MinSize, nil)
	rec := Record{Query: make([]byte, 40), Response: make([]byte, 100)}
	var got Record
	if n := testing.AllocsPerRun(100, func() {
		for range 64 {
			r.Put(&rec)
		}
		r.Publish(1)
		for r.Next(&got) {
		}
		r.Release()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
