package affinity

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"heimdall/affinity/cpulist"

	"golang.org/x/sys/unix"
)

func getMask(tid int) ([]int, error) {
	mask := unix.NewCPUSet(cpulist.End)
	err := unix.SchedGetaffinityDynamic(tid, mask)
	return maskList(mask), err
}

func maskOf(t *testing.T, tid int) []int {
	t.Helper()
	mask, err := getMask(tid)
	if err != nil {
		t.Fatal(err)
	}
	return mask
}

func allowedCPUs(t *testing.T) []int {
	t.Helper()
	allowed, err := Allowed()
	if err != nil || len(allowed) == 0 {
		t.Fatalf("allowed CPUs %v, %v", allowed, err)
	}
	return allowed
}

// onThread runs f on a thread of its own, which ends with it.
func onThread(f func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		f()
	})
	wg.Wait()
}

func TestPinThread(t *testing.T) {
	allowed := allowedCPUs(t)
	onThread(func() {
		for _, cpu := range allowed {
			if err := PinThread(cpu); err != nil {
				t.Error(err)
			}
			if got := maskOf(t, ThreadID()); !slices.Equal(got, []int{cpu}) {
				t.Errorf("pinned to %d: mask %v", cpu, got)
			}
		}
		if err := SetThreadAffinity(allowed); err != nil {
			t.Error(err)
		}
		if got := maskOf(t, ThreadID()); !slices.Equal(got, allowed) {
			t.Errorf("mask %v, want %v", got, allowed)
		}
		for _, cpu := range []int{-1, cpulist.End, cpulist.End - 1} {
			if err := PinThread(cpu); err == nil || !strings.Contains(err.Error(), "CPU") {
				t.Errorf("CPU %d: error %v", cpu, err)
			}
		}
		if err := SetThreadAffinity(nil); !errors.Is(err, unix.EINVAL) {
			t.Errorf("no CPU: error %v", err)
		}
	})
}

func TestOn(t *testing.T) {
	onThread(func() {
		allowed := allowedCPUs(t)
		for _, cpu := range allowed {
			var mask []int
			On(cpu, func() { mask = maskOf(t, ThreadID()) })
			if !slices.Equal(mask, []int{cpu}) {
				t.Errorf("on CPU %d: mask %v", cpu, mask)
			}
			if mask := maskOf(t, ThreadID()); !slices.Equal(mask, allowed) {
				t.Errorf("after CPU %d: mask %v, want %v", cpu, mask, allowed)
			}
		}
	})
	for _, cpu := range []int{AnyCPU, cpulist.End - 1} {
		called := false
		On(cpu, func() { called = true })
		if !called {
			t.Errorf("CPU %d: not called", cpu)
		}
	}
}

func TestHousekeepAll(t *testing.T) {
	allowed := allowedCPUs(t)
	first, last := allowed[:1], allowed[len(allowed)-1:]
	defer func() {
		if err := HousekeepAll(allowed, nil); err != nil {
			t.Error(err)
		}
	}()

	shard, stop := make(chan int), make(chan bool)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	wg.Go(func() {
		runtime.LockOSThread()
		if err := PinThread(first[0]); err != nil {
			t.Error(err)
		}
		shard <- ThreadID()
		<-stop
	})
	shardThread := <-shard

	if err := HousekeepAll(last, []int{shardThread}); err != nil {
		t.Fatal(err)
	}
	// Threads that the runtime starts later must inherit the mask, not the shard's.
	started := make(chan int)
	const more = 20
	for range more {
		wg.Go(func() {
			runtime.LockOSThread()
			started <- ThreadID()
			<-stop
		})
	}
	for range more {
		if tid := <-started; !slices.Equal(maskOf(t, tid), last) {
			t.Errorf("new thread %d: mask %v, want %v", tid, maskOf(t, tid), last)
		}
	}
	tids, err := threads()
	if err != nil {
		t.Fatal(err)
	}
	for _, tid := range tids {
		want := last
		if tid == shardThread {
			want = first
		}
		got, err := getMask(tid)
		if errors.Is(err, unix.ESRCH) && tid != shardThread {
			continue // one of an earlier test has ended since it was listed
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("thread %d: mask %v, want %v: %v", tid, got, want, err)
		}
	}
	if err := HousekeepAll(nil, nil); !errors.Is(err, unix.EINVAL) {
		t.Errorf("no CPU: error %v", err)
	}
}

// planHere plans for this machine, as it is now.
func planHere(spec string, pin bool) (*Plan, error) {
	m, err := Survey()
	if err != nil {
		return nil, err
	}
	return m.Plan(spec, pin, nil)
}

func TestPlanOnThisMachine(t *testing.T) {
	allowed := allowedCPUs(t)
	p, err := planHere("auto", true)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Shards) == 0 || len(p.Shards) > len(allowed) || len(p.Housekeeping) == 0 {
		t.Errorf("%+v", p)
	}
	for _, s := range p.Shards {
		if !contains(allowed, s.CPU) || s.Node < 0 {
			t.Errorf("shard at %+v, allowed %v", s, allowed)
		}
	}
	if _, err := planHere("0-8191", true); err == nil {
		t.Error("8192 CPUs: no error")
	}
}

// A plan that is made later is for the CPUs that the process had at the survey.
func TestPlanAfterHousekeeping(t *testing.T) {
	before := allowedCPUs(t)
	m, err := Survey()
	if err != nil {
		t.Fatal(err)
	}
	defer HousekeepAll(before, nil)
	if err := HousekeepAll(before[:1], nil); err != nil {
		t.Fatal(err)
	}
	if p, err := m.Again().Plan(strconv.Itoa(len(before)), true, nil); err != nil || len(p.Shards) != len(before) {
		t.Errorf("%+v, %v, want a shard on each of %v", p, err, before)
	}
}

// planHelper is set in the environment of a child that prints its own plan.
const planHelper = "AFFINITY_TEST_PRINT_PLAN"

// A process started on one CPU, as by taskset, gets one shard there.
func TestPlanUnderTaskset(t *testing.T) {
	if os.Getenv(planHelper) != "" {
		p, err := planHere("auto", true)
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("shards " + cpulist.Format(shardCPUs(p)) + " housekeeping " + cpulist.Format(p.Housekeeping) + "\n")
		return
	}
	allowed := allowedCPUs(t)
	cpu := allowed[len(allowed)-1:]
	onThread(func() {
		if err := SetThreadAffinity(cpu); err != nil {
			t.Error(err)
			return
		}
		// The child inherits the mask of the thread that forks it.
		child := exec.Command(os.Args[0], "-test.run=^TestPlanUnderTaskset$")
		child.Env = append(os.Environ(), planHelper+"=1")
		out, err := child.CombinedOutput()
		want := "shards " + cpulist.Format(cpu) + " housekeeping " + cpulist.Format(cpu) + "\n"
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %s, want %s", err, out, want)
		}
	})
}
