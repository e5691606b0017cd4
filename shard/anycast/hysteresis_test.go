package anycast

import (
	"testing"
	"time"
)

// The addresses come and go only when the contrary has been true for so long, without a break.
func TestHysteresis(t *testing.T) {
	var h hysteresis
	at := time.Unix(1000, 0)
	for i, c := range []struct {
		after   time.Duration
		healthy bool
		up      bool
	}{
		{0, false, false},
		{time.Second, true, false},
		{4 * time.Second, true, false},
		{time.Second - 1, true, false},
		{0, false, false}, // the count begins anew
		{time.Second, true, false},
		{5 * time.Second, true, true},
		{time.Hour, true, true},
		{time.Second, false, true},
		{1999 * time.Millisecond, false, true},
		{0, true, true},
		{time.Second, false, true},
		{2 * time.Second, false, false},
		{time.Second, false, false},
	} {
		at = at.Add(c.after)
		was := h.up
		if changed := h.step(at, c.healthy, 5*time.Second, 2*time.Second); h.up != c.up || changed != (was != h.up) {
			t.Fatalf("step %d: up %v, changed %v; want up %v", i, h.up, changed, c.up)
		}
	}
	h = hysteresis{}
	if !h.step(at, true, 0, 0) || !h.step(at, false, 0, 0) {
		t.Error("without waiting it does not change at once")
	}
}
