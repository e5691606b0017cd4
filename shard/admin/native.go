package admin

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"heimdall/core/histogram"
)

// nativeSchema is the resolution of native histograms: 2^3 buckets for each power of two, so that each is 9 % wider than
// the one before it. A histogram of the shards cuts a power of two into 32, so a duration lies at most one of its steps,
// 3 %, beside the bucket that it belongs to.
const nativeSchema = 3

// classicBounds are the upper bounds in seconds of the buckets for collectors without native histograms. The lowest is
// what a cached answer takes, the highest the longest that a client waits.
var classicBounds = [...]float64{
	5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10,
}

// durations is a histogram of the shards as a metric, with native buckets and classic ones.
type durations struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	from   *histogram.Histogram
}

// newDurations makes a metric of h, which must not change any more.
func newDurations(desc *prometheus.Desc, h *histogram.Histogram, labels ...string) durations {
	return durations{desc, prometheus.MakeLabelPairs(desc, labels), h}
}

// Desc implements prometheus.Metric.
func (d durations) Desc() *prometheus.Desc { return d.desc }

// Write implements prometheus.Metric.
func (d durations) Write(out *dto.Metric) error {
	h := &dto.Histogram{
		SampleCount:   proto.Uint64(d.from.Count()),
		SampleSum:     proto.Float64(float64(d.from.Sum()) / 1e9),
		Schema:        proto.Int32(nativeSchema),
		ZeroThreshold: proto.Float64(prometheus.DefNativeHistogramZeroThreshold),
		ZeroCount:     proto.Uint64(0),
	}
	var classic [len(classicBounds)]uint64
	var spans spans
	d.from.Each(func(longest int64, n uint64) {
		seconds := float64(longest+1) / 1e9
		// A step that a bound lies in belongs to the side of its middle.
		for i := len(classic) - 1; i >= 0 && seconds <= classicBounds[i]*(1+1.0/64); i-- {
			classic[i] += n
		}
		spans.add(int32(math.Ceil(math.Log2(seconds)*(1<<nativeSchema))), int64(n))
	})
	for i, bound := range classicBounds {
		h.Bucket = append(h.Bucket, &dto.Bucket{CumulativeCount: proto.Uint64(classic[i]), UpperBound: proto.Float64(bound)})
	}
	h.PositiveSpan, h.PositiveDelta = spans.finish()
	if len(h.PositiveSpan) == 0 { // an empty span says that the histogram is a native one all the same
		h.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
	out.Label, out.Histogram = d.labels, h
	return nil
}

// spans collects the buckets of a native histogram, which come in ascending order. The zero value has none.
type spans struct {
	list  []*dto.BucketSpan
	delta []int64
	begun bool
	at    int32 // the bucket that is being filled
	n     int64 // what it has
	last  int64 // what the one before it has
	end   int32 // behind the last span
}

// add counts n in bucket number at.
func (s *spans) add(at int32, n int64) {
	if s.begun && at == s.at {
		s.n += n
		return
	}
	s.flush()
	s.begun, s.at, s.n = true, at, n
}

// flush writes the bucket that is being filled.
func (s *spans) flush() {
	if !s.begun {
		return
	}
	if len(s.list) > 0 && s.at == s.end {
		last := s.list[len(s.list)-1]
		last.Length = proto.Uint32(last.GetLength() + 1)
	} else {
		s.list = append(s.list, &dto.BucketSpan{Offset: proto.Int32(s.at - s.end), Length: proto.Uint32(1)})
	}
	s.end = s.at + 1
	s.delta = append(s.delta, s.n-s.last)
	s.last = s.n
}

func (s *spans) finish() ([]*dto.BucketSpan, []int64) {
	s.flush()
	return s.list, s.delta
}
