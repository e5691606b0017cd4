package snapshot

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// sample is a snapshot of some frames, and the places where frames begin.
func sample(t testing.TB) (text []byte, frames []Frame) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, &Header{Shards: 3, Decides: [32]byte{1, 2, 3}, Time: Time{Wall: 5e18, Up: 7, Boot: [16]byte{9}}})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range 5 {
		f := Frame{Kind: Answers, Shard: i % 3, Seconds: uint32(i), Entries: i, Payload: make([]byte, rnd.IntN(300))}
		for j := range f.Payload {
			f.Payload[j] = byte(rnd.Uint32())
		}
		if err := w.Frame(&f); err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	if w.Bytes() != int64(b.Len()) || w.Entries() != 10 {
		t.Errorf("%d bytes, %d entries", w.Bytes(), w.Entries())
	}
	return b.Bytes(), frames
}

// readAll reads a snapshot to its end.
func readAll(text []byte) (h Header, frames []Frame, err error) {
	r, err := NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return h, nil, err
	}
	for {
		f, err := r.Next()
		if err == io.EOF {
			return r.Header, frames, nil
		}
		if err != nil {
			return r.Header, frames, err
		}
		f.Payload = bytes.Clone(f.Payload)
		frames = append(frames, f)
	}
}

func TestReadsWhatWasWritten(t *testing.T) {
	text, want := sample(t)
	h, got, err := readAll(text)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d frames, %v", len(got), err)
	}
	if h.Shards != 3 || h.Decides != [32]byte{1, 2, 3} || h.Time != (Time{5e18, 7, [16]byte{9}}) {
		t.Errorf("%+v", h)
	}
	for i := range want {
		w, g := want[i], got[i]
		if g.Kind != w.Kind || g.Shard != w.Shard || g.Seconds != w.Seconds || g.Entries != w.Entries || !bytes.Equal(g.Payload, w.Payload) {
			t.Errorf("frame %d: %+v, want %+v", i, g, w)
		}
	}
}

// A snapshot that was cut off anywhere, or has one octet that is another, is found out. One without its end is before
// anything of it is read.
func TestFindsWhatIsTorn(t *testing.T) {
	text, frames := sample(t)
	for n := range text {
		if _, got, err := readAll(text[:n]); !errors.Is(err, ErrForeign) || len(got) > 0 {
			t.Fatalf("cut at %d of %d: %d frames, %v", n, len(text), len(got), err)
		}
		bad := bytes.Clone(text)
		bad[n] ^= 1 << (n % 8)
		_, got, err := readAll(bad)
		if !errors.Is(err, ErrForeign) {
			t.Fatalf("octet %d of %d differs: %v", n, len(text), err)
		}
		for i, f := range got {
			if !bytes.Equal(f.Payload, frames[i].Payload) {
				t.Fatalf("octet %d differs: frame %d is another", n, i)
			}
		}
	}
	for _, more := range []string{"x", strings.Repeat("x", 100)} {
		if _, _, err := readAll(append(bytes.Clone(text), more...)); !errors.Is(err, ErrForeign) {
			t.Errorf("%d octets behind: %v", len(more), err)
		}
	}
	for _, other := range []string{"", "HEIMDALL", strings.Repeat("\x00", 4096), strings.Repeat("# zone\n", 1000)} {
		if _, _, err := readAll([]byte(other)); !errors.Is(err, ErrForeign) {
			t.Errorf("%.20q: %v", other, err)
		}
	}
}

// Whatever a stranger writes is read to an end, in bounded pieces.
func FuzzReader(f *testing.F) {
	text, _ := sample(f)
	f.Add(text)
	f.Add(text[:200])
	f.Fuzz(func(t *testing.T, text []byte) {
		_, frames, err := readAll(text)
		if err != nil && !errors.Is(err, ErrForeign) {
			t.Fatal(err)
		}
		total := 0
		for _, f := range frames {
			total += len(f.Payload)
		}
		if total > len(text) {
			t.Fatal("frames have more than the file")
		}
	})
}

// How long ago something was is known whatever was done to the wall clock, as long as the machine was not started again.
func TestSince(t *testing.T) {
	const second = int64(1e9)
	a, b := [16]byte{1}, [16]byte{2}
	for _, c := range []struct {
		name      string
		then, now Time
		want      uint32
		fails     bool
	}{
		{"same start", Time{100 * second, 50 * second, a}, Time{160 * second, 110 * second, a}, 60, false},
		{"same start, clock set back", Time{100 * second, 50 * second, a}, Time{10 * second, 110 * second, a}, 60, false},
		{"same start, clock set forward", Time{100 * second, 50 * second, a}, Time{1e6 * second, 51 * second, a}, 1, false},
		{"another start", Time{100 * second, 50 * second, a}, Time{160 * second, 5 * second, b}, 60, false},
		{"another start, clock behind", Time{100 * second, 50 * second, a}, Time{99 * second, 5 * second, b}, 0, true},
		{"start unknown", Time{100 * second, 0, [16]byte{}}, Time{160 * second, 5 * second, [16]byte{}}, 60, false},
		{"rounded up", Time{100 * second, 50 * second, a}, Time{100 * second, 50*second + 1, a}, 1, false},
		{"for ages", Time{0, 0, a}, Time{9e18, 5 * second, b}, 1<<31 - 1, false},
	} {
		got, err := c.now.Since(c.then)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %d, %v", c.name, got, err)
		}
	}
	now := Now()
	if now.Up <= 0 || now.Boot == [16]byte{} {
		t.Errorf("%+v", now)
	}
}
