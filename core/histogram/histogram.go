// Package histogram keeps a log-linear histogram of durations in a fixed array,
// small enough for every shard to own one and cheap enough to feed it once for
// every reply.
//
// Values are nanoseconds. Below 32 ns every value has its own bucket; above,
// each power of two is cut into 32 equal steps, so a bucket is at most 1/32
// (3.1 %) as wide as the values in it. That is the error of Quantile.
package histogram

import "math/bits"

const (
	// stepBits is the logarithm of the steps in one power of two. Five keeps the
	// error near 3 %, finer than two runs of a benchmark agree, in 8 KiB.
	stepBits = 5
	steps    = 1 << stepBits

	// maxBits is the width of the largest value with a bucket of its own, in
	// bits of nanoseconds: 2^37 ns are 137 s, more than any client waits.
	maxBits = 37

	buckets = steps * (maxBits - stepBits + 1)
)

// MaxValue is the largest duration told from longer ones, in nanoseconds.
// Longer ones are counted as this one.
const MaxValue = 1<<maxBits - 1

// Histogram counts durations. The zero value is empty and ready. It is not safe
// for concurrent use: one shard owns it, and readers get a copy (a Histogram
// holds no pointers, so an assignment is a snapshot).
type Histogram struct {
	count uint64
	sum   uint64 // nanoseconds
	max   uint64 // nanoseconds
	n     [buckets]uint64
}

// Record counts one duration in nanoseconds. A negative one, which a clock that
// was read on two CPUs can produce, counts as zero. It never allocates.
func (h *Histogram) Record(ns int64) { h.RecordN(ns, 1) }

// RecordN counts times durations of ns nanoseconds each, as for a batch whose
// replies left together.
func (h *Histogram) RecordN(ns int64, times uint64) {
	v := uint64(min(max(ns, 0), MaxValue))
	h.n[bucket(v)] += times
	h.count += times
	h.sum += v * times
	if times > 0 {
		h.max = max(h.max, v)
	}
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.count }

// Sum returns the sum of all durations recorded, in nanoseconds.
func (h *Histogram) Sum() uint64 { return h.sum }

// Each calls f with each bucket in use, the lowest first: the longest duration that belongs to it, in nanoseconds, and
// how many were recorded.
func (h *Histogram) Each(f func(longest int64, n uint64)) {
	for i, c := range h.n {
		if c > 0 {
			f(int64(upper(i)), c)
		}
	}
}

// Max returns the longest duration recorded, in nanoseconds; 0 when empty.
func (h *Histogram) Max() int64 { return int64(h.max) }

// Mean returns the average duration in nanoseconds; 0 when empty.
func (h *Histogram) Mean() int64 {
	if h.count == 0 {
		return 0
	}
	return int64(h.sum / h.count)
}

// Quantile returns the duration in nanoseconds that the share q (0 to 1) of all
// recorded ones do not exceed; 0 when empty. It is the upper edge of the bucket
// that the rank falls into, so it overstates by at most 1/32 and understates
// never.
func (h *Histogram) Quantile(q float64) int64 {
	if h.count == 0 {
		return 0
	}
	rank := max(uint64(min(max(q, 0), 1)*float64(h.count)+0.5), 1)
	var seen uint64
	for i, c := range h.n {
		if seen += c; seen >= rank {
			return int64(min(upper(i), h.max))
		}
	}
	return int64(h.max)
}

// Merge adds what o counted to h, as for a total over all shards.
func (h *Histogram) Merge(o *Histogram) {
	h.count += o.count
	h.sum += o.sum
	h.max = max(h.max, o.max)
	for i, c := range o.n {
		h.n[i] += c
	}
}

// Since returns what h counted after the earlier snapshot prev of the same
// histogram: the durations of one interval. Its Max is the upper edge of the
// highest bucket in use, for the exact one may be older than prev.
func (h *Histogram) Since(prev *Histogram) Histogram {
	d := Histogram{count: h.count - prev.count, sum: h.sum - prev.sum}
	for i := range h.n {
		if d.n[i] = h.n[i] - prev.n[i]; d.n[i] > 0 {
			d.max = min(upper(i), h.max)
		}
	}
	return d
}

// Reset empties h.
func (h *Histogram) Reset() { *h = Histogram{} }

// bucket returns the index of the bucket of v, which is at most MaxValue.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-stepBits-1, 0)
	return shift<<stepBits + int(v>>shift)
}

// upper returns the largest value of bucket i.
func upper(i int) uint64 {
	shift := max(i>>stepBits-1, 0)
	return (uint64(i-shift<<stepBits)+1)<<shift - 1
}
