package framing

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// split is the slow reader: all messages of a whole stream, and how the stream ends.
func split(stream []byte) (msgs [][]byte, rest int, malformed bool) {
	for len(stream) >= 2 {
		length := int(stream[0])<<8 | int(stream[1])
		if length == 0 {
			return msgs, len(stream), true
		}
		if len(stream) < 2+length {
			break
		}
		msgs = append(msgs, stream[2:2+length])
		stream = stream[2+length:]
	}
	return msgs, len(stream), false
}

// feed gives stream to a Reader in pieces of random length and takes at most
// `most` messages out before it settles, as a server does that holds a client back.
func feed(t testing.TB, stream []byte, rnd *rand.Rand, scratch []byte, most int) (msgs [][]byte, rest int, malformed bool) {
	t.Helper()
	pool := NewPool(1 << 30)
	var r Reader
	defer func() {
		r.Reset(pool)
		if pool.Lent() != 0 {
			t.Fatalf("%d bytes still lent", pool.Lent())
		}
	}()
	for {
		if !r.Whole() {
			if len(stream) == 0 {
				return msgs, r.Len(), false
			}
			space := r.Space(pool, scratch)
			if len(space) == 0 {
				t.Fatal("no space")
			}
			n := min(1+rnd.IntN(len(space)), len(stream))
			copy(space, stream[:n])
			stream = stream[n:]
			r.Advance(n)
		}
		for range most {
			msg, status := r.Next()
			if status == Malformed {
				return msgs, r.Len() + len(stream), true
			}
			if status == Incomplete {
				break
			}
			msgs = append(msgs, bytes.Clone(msg))
		}
		if !r.Settle(pool) {
			t.Fatal("pool exhausted")
		}
		for i := range scratch { // another stream's turn
			scratch[i] = 0xaa
		}
	}
}

func check(t testing.TB, stream []byte, seed uint64, scratch, most int) {
	t.Helper()
	want, wantRest, wantBad := split(stream)
	got, rest, bad := feed(t, stream, rand.New(rand.NewPCG(seed, 1)), make([]byte, scratch), most)
	if len(got) != len(want) || rest != wantRest || bad != wantBad {
		t.Fatalf("%d messages, %d octets over, malformed %v; want %d, %d, %v", len(got), rest, bad, len(want), wantRest, wantBad)
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("message %d: %x, want %x", i, got[i], want[i])
		}
	}
}

func appendFrame(b, msg []byte) []byte {
	return append(append(b, byte(len(msg)>>8), byte(len(msg))), msg...)
}

func TestReaderSplitsAnywhere(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var stream []byte
	for _, length := range []int{1, 12, 40, 512, 1023, 1024, 1025, 4096, 16384, 65535, 2, 65535, 300} {
		msg := make([]byte, length)
		for i := range msg {
			msg[i] = byte(rnd.Uint32())
		}
		stream = appendFrame(stream, msg)
	}
	for seed := range uint64(20) {
		check(t, stream, seed, 1+int(seed)*900, 1+int(seed%4))
		check(t, stream[:len(stream)-1], seed, 16<<10, 64)
		check(t, append(stream[:len(stream):len(stream)], 0, 0, 5), seed, 16<<10, 64)
	}
}

// A prefix that announces much does not reserve much.
func TestReaderGrowsWithWhatCame(t *testing.T) {
	pool := NewPool(1 << 20)
	scratch := make([]byte, 16<<10)
	var r Reader
	space := r.Space(pool, scratch)
	copy(space, []byte{0xff, 0xff, 1, 2, 3})
	r.Advance(5)
	if !r.Settle(pool) || pool.Lent() != classes[0] {
		t.Fatalf("5 octets hold %d bytes", pool.Lent())
	}
	for r.Len() < 2+MaxMessage {
		if r.Whole() {
			t.Fatal("whole too soon")
		}
		space := r.Space(pool, scratch)
		r.Advance(min(len(space), 1000, 2+MaxMessage-r.Len()))
		if !r.Settle(pool) {
			t.Fatal("pool exhausted")
		}
		if pool.Lent() > 4*max(r.Len()+1, classes[0]) && r.Len() < classes[2] {
			t.Fatalf("%d octets hold %d bytes", r.Len(), pool.Lent())
		}
	}
	if msg, status := r.Next(); status != Message || len(msg) != MaxMessage {
		t.Fatalf("%d octets, status %v", len(msg), status)
	}
	r.Settle(pool)
	if pool.Lent() != 0 {
		t.Errorf("an empty reader holds %d bytes", pool.Lent())
	}
}

func TestReaderStopsAtPoolLimit(t *testing.T) {
	pool := NewPool(classes[0])
	scratch := make([]byte, 16<<10)
	var a, b Reader
	for _, r := range []*Reader{&a, &b} {
		copy(r.Space(pool, scratch), []byte{0xff, 0xff, 1})
		r.Advance(3)
	}
	if !a.Settle(pool) {
		t.Fatal("the first stream gets no buffer")
	}
	if b.Settle(pool) {
		t.Fatal("the second stream gets a buffer")
	}
	a.Advance(len(a.Space(pool, scratch)))
	if a.Space(pool, scratch) != nil {
		t.Fatal("the first stream grows")
	}
	if pool.Lent() != 0 {
		t.Errorf("%d bytes still lent", pool.Lent())
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 2, 'b', 'c'}, uint64(1), uint16(3), uint8(1))
	f.Add([]byte{0, 0, 1}, uint64(2), uint16(64), uint8(4))
	f.Add([]byte{0, 3, 'a', 'b'}, uint64(3), uint16(1), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, scratch uint16, most uint8) {
		check(t, stream, seed, 1+int(scratch)%(20<<10), 1+int(most)%70)
	})
}
