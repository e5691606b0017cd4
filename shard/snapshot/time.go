package snapshot

import (
	"errors"
	"math"
	"time"
)

// Time tells when something was, so that it can be told later how long ago that is, whatever became of the wall clock.
type Time struct {
	Wall int64    // nanoseconds since 1970
	Up   int64    // nanoseconds since the machine was started, sleep included; 0: unknown
	Boot [16]byte // which start of the machine that was; zero: unknown
}

// errClock is the error of Since about a snapshot from the future.
var errClock = errors.New("it was written later than the clock says it is now: how old its answers are is not known")

// Since returns how many seconds have passed from then to t. As long as the machine was not started again, its clock was none
// that anybody can set. Else it was the wall clock: if that has gone back, nobody knows.
func (t Time) Since(then Time) (seconds uint32, err error) {
	passed := t.Wall - then.Wall
	if t.Up > 0 && then.Up > 0 && t.Boot == then.Boot && t.Boot != [16]byte{} {
		passed = t.Up - then.Up
	}
	if passed < 0 {
		return 0, errClock
	}
	// Rounded up: an answer must not live longer for a restart.
	return uint32(min((passed+int64(time.Second)-1)/int64(time.Second), math.MaxInt32)), nil
}
