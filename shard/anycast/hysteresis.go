package anycast

import "time"

// hysteresis turns verdicts into what to do. The zero value is down.
type hysteresis struct {
	up    bool
	since time.Time // the first of the verdicts in a row that contradict up; zero: the last one did not
}

// step takes what is held to be true at a time, and tells whether up has changed: it does when the contrary has been held
// true for so long.
func (h *hysteresis) step(now time.Time, healthy bool, upAfter, downAfter time.Duration) (changed bool) {
	if healthy == h.up {
		h.since = time.Time{}
		return false
	}
	if h.since.IsZero() {
		h.since = now
	}
	wait := downAfter
	if healthy {
		wait = upAfter
	}
	if now.Sub(h.since) < wait {
		return false
	}
	*h = hysteresis{up: healthy}
	return true
}
