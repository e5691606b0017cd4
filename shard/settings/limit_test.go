package settings

import (
	"testing"

	"heimdall/core/config"
	"heimdall/core/policy"
)

// Behind the XDP program a shard lets more pass than the program does, so that it never strikes twice.
func TestLimiterBehindXDP(t *testing.T) {
	c := config.Default()
	c.Limit.QueriesPerSecond, c.Limit.Burst = 1000, 50
	for _, filtered := range []bool{false, true} {
		l := limiter(c, filtered)
		admitted := 0
		for range 2000 {
			if l.Admit(1e9, [16]byte{10: 0xff, 11: 0xff}, false) == policy.Admitted {
				admitted++
			}
		}
		if want := map[bool]int{false: 50, true: 2*50 + 2*1000/4}[filtered]; admitted != want {
			t.Errorf("filtered %v: %d at once, want %d", filtered, admitted, want)
		}
	}
}
