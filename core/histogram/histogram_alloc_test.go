package histogram

import "testing"

func TestAllocs(t *testing.T) {
	var h, total Histogram
	v := int64(0)
	if n := testing.AllocsPerRun(1000, func() {
		v += 997
		h.Record(v)
		total.Merge(&h)
		_ = h.Quantile(0.99)
		_ = total.Since(&h)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
