package affinity

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"

	"heimdall/affinity/cpulist"

	"golang.org/x/sys/unix"
)

// Allowed returns the CPUs that the process may use, ascending: the affinity mask
// of its main thread (which the kernel keeps inside the control group's CPU set),
// less what that CPU set no longer has. It means what the process was started
// with only until that mask is changed.
func Allowed() ([]int, error) {
	mask := unix.NewCPUSet(cpulist.End)
	// By number: the calling thread may be another one, pinned already.
	if err := unix.SchedGetaffinityDynamic(os.Getpid(), mask); err != nil {
		return nil, fmt.Errorf("get allowed CPUs: %w", err)
	}
	allowed := maskList(mask)
	if group, ok := readCgroups(os.DirFS("/")).cpus(); ok {
		// An empty intersection means that the path was one of another namespace.
		if both := intersect(allowed, group); len(both) > 0 {
			return both, nil
		}
	}
	return allowed, nil
}

// ThreadID returns the kernel's number of the calling thread. It means something
// only after runtime.LockOSThread.
func ThreadID() int { return unix.Gettid() }

// ThreadTime returns the CPU time that the calling thread has used, in nanoseconds; 0 if the kernel does not tell. It
// means something only after runtime.LockOSThread. It costs a system call.
func ThreadTime() uint64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return uint64(t.Nano())
}

// PinThread keeps the calling thread on one CPU. Call runtime.LockOSThread first.
func PinThread(cpu int) error {
	if err := setAffinity(0, []int{cpu}); err != nil {
		return fmt.Errorf("pin thread to CPU %d: %w", cpu, err)
	}
	return nil
}

// SetThreadAffinity keeps the calling thread on the given CPUs, of which at least
// one must be online and allowed. Call runtime.LockOSThread first.
func SetThreadAffinity(cpus []int) error {
	if err := setAffinity(0, cpus); err != nil {
		return fmt.Errorf("keep thread on CPUs %s: %w", cpulist.Format(cpus), err)
	}
	return nil
}

// On calls f on a thread that runs on the given CPU meanwhile, and waits for it: what the kernel allocates on behalf of f, such
// as a socket's rings, lies near that CPU. With AnyCPU, or where the thread cannot be pinned, f is called on any CPU. It must
// not run beside HousekeepAll.
func On(cpu int, f func()) {
	if cpu == AnyCPU {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := unix.NewCPUSet(cpulist.End)
	if unix.SchedGetaffinityDynamic(0, before) == nil && PinThread(cpu) == nil {
		defer unix.SchedSetaffinityDynamic(0, before)
	}
	f()
}

// HousekeepAll moves every thread of the process to the given CPUs, but for those
// whose ThreadID is in skip. Threads started meanwhile are moved as well, and those
// started later inherit the mask: see the package comment.
func HousekeepAll(cpus []int, skip []int) error {
	done := map[int]bool{}
	for _, tid := range skip {
		done[tid] = true
	}
	// A thread not yet moved may start another, which the next pass finds. Each
	// pass leaves fewer that could; this many never happen.
	const maxPasses = 32
	for range maxPasses {
		tids, err := threads()
		if err != nil {
			return fmt.Errorf("move threads to CPUs %s: %w", cpulist.Format(cpus), err)
		}
		tids = slices.DeleteFunc(tids, func(tid int) bool { return done[tid] })
		if len(tids) == 0 {
			return nil
		}
		for _, tid := range tids {
			done[tid] = true
			// ESRCH: the thread has ended since.
			if err := setAffinity(tid, cpus); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("move thread %d to CPUs %s: %w", tid, cpulist.Format(cpus), err)
			}
		}
	}
	return fmt.Errorf("move threads to CPUs %s: new threads keep appearing", cpulist.Format(cpus))
}

// threads lists the threads of the process.
func threads() ([]int, error) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	var tids []int
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids, nil
}

func setAffinity(tid int, cpus []int) error {
	mask := unix.NewCPUSet(cpulist.End)
	for _, cpu := range cpus {
		if cpu < 0 || cpu >= cpulist.End {
			return fmt.Errorf("no such CPU: %d", cpu)
		}
		mask.Set(cpu)
	}
	return unix.SchedSetaffinityDynamic(tid, mask)
}

func maskList(mask unix.CPUSetDynamic) []int {
	var list []int
	for cpu := range cpulist.End {
		if mask.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list
}
