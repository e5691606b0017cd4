package histogram

import "testing"

// FuzzParse asserts that octets either are refused, leaving nothing behind, or
// stand for a histogram that survives being written and read again.
func FuzzParse(f *testing.F) {
	var h Histogram
	f.Add(h.AppendBinary(nil))
	for _, v := range []int64{0, 1, 900, 1100, 1e6, MaxValue} {
		h.Record(v)
	}
	f.Add(h.AppendBinary(nil))
	f.Add([]byte{1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h, again Histogram
		if !h.Parse(b) {
			if h != again {
				t.Fatal("a refused input left something behind")
			}
			return
		}
		if !again.Parse(h.AppendBinary(nil)) || again != h {
			t.Fatalf("%x does not survive", b)
		}
		if q := h.Quantile(0.99); q < 0 || q > MaxValue {
			t.Fatalf("Quantile(0.99) = %d", q)
		}
	})
}
