package affinity

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ShortSlice has the kernel run the calling thread for slice at a time, from 100 us to 100 ms, and in exchange put it
// before threads with longer slices when it wakes up (sched(7), EEVDF). Call runtime.LockOSThread first. The error
// wraps ErrNotSupported where the kernel cannot do it: before Linux 6.12.
func ShortSlice(slice time.Duration) error {
	err := changeThread(func(a *unix.SchedAttr) { a.Runtime = uint64(slice) })
	if err == nil {
		var now *unix.SchedAttr
		if now, err = unix.SchedGetAttr(0, 0); err == nil && now.Runtime != uint64(slice) {
			err = ErrNotSupported // Older kernels take the value and ignore it.
		}
	}
	if err != nil {
		return fmt.Errorf("set the thread's slice to %s: %w", slice, err)
	}
	return nil
}

// Background lowers the priority of the calling thread to that of work that can wait: of a CPU that others want, too,
// it gets a tenth. Call runtime.LockOSThread first, and do not unlock it: no thread may raise it again.
func Background() error {
	const nice = 10
	err := changeThread(func(a *unix.SchedAttr) { a.Nice = max(a.Nice, nice) })
	if err != nil {
		return fmt.Errorf("lower the thread's priority: %w", err)
	}
	return nil
}

// changeThread changes how the calling thread is scheduled.
func changeThread(change func(*unix.SchedAttr)) error {
	a, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return err
	}
	change(a)
	return unix.SchedSetAttr(0, a, 0)
}
