package ebpf

import (
	"errors"
	"testing"
)

// Where a driver would crash the kernel the program does not run in it.
func TestQueuesOfVirtio(t *testing.T) {
	for _, c := range []struct {
		used, most, cpus int
		good             bool
	}{
		{2, 2, 2, true},  // shared by all CPUs, with a lock
		{2, 4, 2, true},  // each CPU has one more
		{4, 4, 2, false}, // the fifth and the sixth would be used
		{4, 5, 2, false},
		{4, 6, 2, true},
		{1, 1, 2, true},
		{0, 2, 2, true}, // not known, whatever it is
		{0, 4, 2, false},
	} {
		if err := enoughQueues("eth0", c.used, c.most, c.cpus); (err == nil) != c.good || err != nil && !errors.Is(err, ErrNotSupported) {
			t.Errorf("%d of %d queues, %d CPUs: %v", c.used, c.most, c.cpus, err)
		}
	}
}
