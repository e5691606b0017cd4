package admin

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"heimdall/core/histogram"
	"heimdall/shard"
)

// What a collector gets adds up to what was recorded, in native buckets and in classic ones, and each duration is in the
// bucket that it belongs to, but for the width of a step.
func TestNativeHistogram(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		var h histogram.Histogram
		var values []float64
		for range rnd.IntN(2000) {
			v := 64 + int64(math.Exp(rnd.NormFloat64()*3+11)) // below it, a nanosecond is wide
			h.Record(v)
			values = append(values, float64(min(v, histogram.MaxValue))/1e9)
		}
		m := written(t, &h)
		if got := m.GetSampleCount(); got != uint64(len(values)) {
			t.Fatalf("%d samples, want %d", got, len(values))
		}
		if got := float64(h.Sum()) / 1e9; m.GetSampleSum() != got {
			t.Errorf("sum %v, want %v", m.GetSampleSum(), got)
		}
		for bound, got := range native(t, m) {
			wide, narrow := below(values, bound), below(values, bound/(1+1.0/16))
			if got > wide || got < narrow {
				t.Errorf("%d up to %v, want between %d and %d", got, bound, narrow, wide)
			}
		}
		for _, b := range m.Bucket {
			least, most := below(values, b.GetUpperBound()/(1+1.0/32)), below(values, b.GetUpperBound()*(1+1.0/32))
			if got := b.GetCumulativeCount(); got < least || got > most {
				t.Errorf("%d up to %v, want between %d and %d", got, b.GetUpperBound(), least, most)
			}
		}
	}
}

func written(t *testing.T, h *histogram.Histogram) *dto.Histogram {
	t.Helper()
	var m dto.Metric
	if err := newDurations(responseDesc, h, "1", "udp").Write(&m); err != nil {
		t.Fatal(err)
	}
	if len(m.Label) != 2 {
		t.Fatalf("labels %v", m.Label)
	}
	return m.Histogram
}

// native adds up native buckets: how many durations there are up to the upper bound of each.
func native(t *testing.T, h *dto.Histogram) map[float64]uint64 {
	t.Helper()
	out := map[float64]uint64{}
	at, n, sum, i := int32(0), int64(0), int64(0), 0
	for k, span := range h.PositiveSpan {
		if k > 0 && span.GetOffset() < 1 && span.GetLength() > 0 {
			t.Fatalf("spans %v", h.PositiveSpan)
		}
		at += span.GetOffset()
		for range span.GetLength() {
			n += h.PositiveDelta[i]
			if i++; n <= 0 {
				t.Fatalf("a bucket of %d", n)
			}
			sum += n
			out[math.Exp2(float64(at)/(1<<nativeSchema))] = uint64(sum)
			at++
		}
	}
	if i != len(h.PositiveDelta) || uint64(sum) != h.GetSampleCount() {
		t.Fatalf("%d of %d buckets hold %d of %d", i, len(h.PositiveDelta), sum, h.GetSampleCount())
	}
	return out
}

func below(values []float64, bound float64) (n uint64) {
	for _, v := range values {
		if v <= bound {
			n++
		}
	}
	return n
}

// Whatever the shards have recorded, a histogram has a bounded number of buckets.
func TestNativeHistogramIsBounded(t *testing.T) {
	var h histogram.Histogram
	for v := int64(1); v < histogram.MaxValue; v += v/100 + 1 {
		h.Record(v)
	}
	m := written(t, &h)
	if len(m.PositiveDelta) > 300 || len(m.Bucket) != len(classicBounds) {
		t.Errorf("%d native buckets, %d classic ones", len(m.PositiveDelta), len(m.Bucket))
	}
	if empty := written(t, new(histogram.Histogram)); len(empty.PositiveSpan) != 1 || empty.Schema == nil {
		t.Error("an empty histogram does not say that it is a native one")
	}
}

// The sums of all shards never fall: not when a shard does not answer, and not when it has counted less than before.
func TestSumsNeverFall(t *testing.T) {
	var w whole
	count := func(queries uint64) *shard.Snapshot {
		s := new(shard.Snapshot)
		s.Engine.Queries, s.Engine.Types[1] = queries, queries
		s.Latency[shard.AtOnceUDP].RecordN(1000, queries)
		return s
	}
	w.note(0, count(10))
	w.note(1, count(5))
	for _, step := range []struct {
		id   int
		n    uint64
		want uint64
	}{{0, 11, 16}, {0, 3, 16}, {1, 7, 18}, {2, 1, 19}} {
		w.note(step.id, count(step.n))
		if got := w.sums(); got.types[1] != step.want || got.latency[shard.AtOnceUDP].Count() != step.want {
			t.Errorf("after %+v: %d queries, %d times", step, got.types[1], got.latency[shard.AtOnceUDP].Count())
		}
	}
}

// Names in metrics do not come from strangers.
func TestLabelsAreBounded(t *testing.T) {
	s := new(shard.Snapshot)
	for i := range s.Engine.Types {
		s.Engine.Types[i] = 1
	}
	m := types(&s.Engine.Types)
	total := uint64(0)
	for _, n := range m {
		total += n
	}
	if len(m) > 100 || m[other] < 100 || total != uint64(len(s.Engine.Types)) {
		t.Errorf("%d names, %d others, %d in all", len(m), m[other], total)
	}
	if r := rcodes(s); len(r) > 17 || r["BADVERS"] != 0 {
		t.Errorf("%v", r)
	}
}

var _ prometheus.Metric = durations{}
