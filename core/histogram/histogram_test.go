package histogram

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// TestBucketsTile proves that buckets neither overlap nor leave a gap, and that
// each is as narrow as the package promises.
func TestBucketsTile(t *testing.T) {
	next := uint64(0)
	for i := range buckets {
		if got := bucket(next); got != i {
			t.Fatalf("bucket(%d) = %d, want %d", next, got, i)
		}
		hi := upper(i)
		if got := bucket(hi); got != i {
			t.Fatalf("bucket(%d) = %d, want %d", hi, got, i)
		}
		if width := hi - next; width*steps > next {
			t.Fatalf("bucket %d is %d wide at %d", i, width, next)
		}
		next = hi + 1
	}
	if next != MaxValue+1 {
		t.Fatalf("the buckets end at %d, want %d", next, uint64(MaxValue+1))
	}
}

// TestQuantileAgainstHdrHistogram compares with the reference on shapes a
// resolver shows: hits only, hits and misses, and a long tail.
func TestQuantileAgainstHdrHistogram(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := map[string]func() int64{
		"uniform":     func() int64 { return rng.Int64N(1e6) },
		"exponential": func() int64 { return int64(rng.ExpFloat64() * 5e4) },
		"lognormal":   func() int64 { return int64(math.Exp(rng.NormFloat64()*2 + 10)) },
		"hits and misses": func() int64 {
			if rng.IntN(20) == 0 {
				return 2e7 + rng.Int64N(1e8)
			}
			return 800 + rng.Int64N(3000)
		},
		"tiny": func() int64 { return rng.Int64N(40) },
	}
	for name, draw := range shapes {
		t.Run(name, func(t *testing.T) {
			var h Histogram
			ref := hdrhistogram.New(1, MaxValue, 4)
			for range 50000 {
				v := draw()
				h.Record(v)
				if err := ref.RecordValue(v); err != nil {
					t.Fatal(err)
				}
			}
			for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
				got, want := h.Quantile(q), ref.ValueAtQuantile(q*100)
				if tolerance := want/steps + want/5000 + 1; got < want-tolerance || got > want+tolerance {
					t.Errorf("Quantile(%v) = %d, reference %d", q, got, want)
				}
			}
			if got, want := float64(h.Mean()), ref.Mean(); math.Abs(got-want) > want*0.001+1 {
				t.Errorf("Mean() = %v, reference %v", got, want)
			}
			if h.Count() != uint64(ref.TotalCount()) {
				t.Errorf("Count() = %d, reference %d", h.Count(), ref.TotalCount())
			}
		})
	}
}

func TestEdges(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 || h.Max() != 0 {
		t.Error("an empty histogram has figures")
	}
	h.Record(-5)
	if h.Quantile(1) != 0 || h.Count() != 1 {
		t.Errorf("after Record(-5): Quantile(1) = %d, Count() = %d", h.Quantile(1), h.Count())
	}
	h.Record(math.MaxInt64)
	if h.Quantile(1) != MaxValue || h.Max() != MaxValue {
		t.Errorf("after a huge value: Quantile(1) = %d, Max() = %d", h.Quantile(1), h.Max())
	}
	h.Reset()
	h.RecordN(100, 0)
	if h.Max() != 0 || h.Count() != 0 {
		t.Error("RecordN of nothing left a trace")
	}
	h.Record(1000)
	if got := h.Quantile(0.5); got != 1000 {
		t.Errorf("Quantile of the only value = %d, want it exact: 1000", got)
	}
}

// TestMergeAndSince: a merged histogram equals one fed with both streams, and
// Since undoes the earlier stream.
func TestMergeAndSince(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var a, b, both Histogram
	for range 10000 {
		v := int64(rng.ExpFloat64() * 1e5)
		a.Record(v)
		both.Record(v)
	}
	snapshot := both
	for range 10000 {
		v := int64(rng.ExpFloat64() * 1e4)
		b.Record(v)
		both.Record(v)
	}
	merged := a
	merged.Merge(&b)
	if merged != both {
		t.Error("Merge differs from recording both streams in one")
	}
	late := both.Since(&snapshot)
	for _, q := range []float64{0.5, 0.9, 0.99} {
		if got, want := late.Quantile(q), b.Quantile(q); got != want {
			t.Errorf("Since: Quantile(%v) = %d, want %d", q, got, want)
		}
	}
	if late.Count() != b.Count() || late.Mean() != b.Mean() {
		t.Errorf("Since: count %d mean %d, want %d and %d", late.Count(), late.Mean(), b.Count(), b.Mean())
	}
	if late.Max() < b.Max() || late.Max() > b.Max()+b.Max()/steps {
		t.Errorf("Since: Max() = %d, want at most 1/%d above %d", late.Max(), steps, b.Max())
	}
}

// TestEach: what Each tells adds up to what was recorded, in ascending order, each bucket no lower than its durations.
func TestEach(t *testing.T) {
	var h, again Histogram
	for _, v := range []int64{0, 3, 3, 999, 1000, 123456, MaxValue} {
		h.Record(v)
	}
	last := int64(-1)
	h.Each(func(longest int64, n uint64) {
		if longest <= last {
			t.Errorf("%d comes after %d", longest, last)
		}
		last = longest
		again.RecordN(longest, n)
	})
	if again.n != h.n || last != MaxValue {
		t.Errorf("the buckets end at %d, or do not add up", last)
	}
	if want := uint64(0 + 3 + 3 + 999 + 1000 + 123456 + MaxValue); h.Sum() != want {
		t.Errorf("Sum() = %d, want %d", h.Sum(), want)
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	v := int64(1)
	for b.Loop() {
		v = v*25214903917 + 11
		h.Record(v & 0xfffff)
	}
}

func TestBinary(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var h, got Histogram
	for range 100000 {
		h.Record(int64(math.Exp(rng.NormFloat64() + 7)))
	}
	b := h.AppendBinary(nil)
	if !got.Parse(b) || got != h {
		t.Error("Parse does not undo AppendBinary")
	}
	if len(b) > 1500 {
		t.Errorf("%d octets for a typical shard, want at most 1500", len(b))
	}
	if got.Parse(b[:len(b)-1]) || got.Count() != 0 {
		t.Error("a cut encoding was taken")
	}
}
