package affinity

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func schedulingOf(t *testing.T) *unix.SchedAttr {
	t.Helper()
	a, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A short slice changes nothing else of a thread, and nothing of others.
func TestShortSlice(t *testing.T) {
	onThread(func() {
		before := schedulingOf(t)
		err := ShortSlice(200 * time.Microsecond)
		if errors.Is(err, ErrNotSupported) {
			t.Skip(err)
		}
		after := schedulingOf(t)
		if err != nil || after.Runtime != 200_000 || after.Nice != before.Nice || after.Policy != before.Policy {
			t.Errorf("%v: %+v, before %+v", err, after, before)
		}
	})
	onThread(func() {
		if a := schedulingOf(t); a.Runtime == 200_000 {
			t.Errorf("another thread has the slice: %+v", a)
		}
	})
}

func TestBackground(t *testing.T) {
	onThread(func() {
		before := schedulingOf(t)
		if err := Background(); err != nil {
			t.Fatal(err)
		}
		if a := schedulingOf(t); a.Nice != max(before.Nice, 10) || a.Policy != before.Policy {
			t.Errorf("%+v, before %+v", a, before)
		}
	})
	onThread(func() {
		if a := schedulingOf(t); a.Nice >= 10 {
			t.Errorf("another thread has the priority: %+v", a)
		}
	})
}
