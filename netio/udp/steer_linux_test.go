package udp

import (
	"net/netip"
	"runtime"
	"testing"

	"heimdall/netio"
	"heimdall/netio/netiotest"

	"golang.org/x/sys/unix"
)

func TestAttachCPU(t *testing.T) {
	first := listenOn(t, Options{Addr: addr("127.0.0.1:0"), ReusePort: true})
	local := netiotest.Bound(t, first.FD())
	second := listenOn(t, Options{Addr: local, ReusePort: true})
	// Whatever CPU this runs on, the program must name the second socket.
	const noCPU = 1 << 20
	if err := AttachCPU(first.FD(), []int{noCPU, pinToOneCPU(t)}); err != nil {
		t.Fatal(err)
	}
	in := make([]netio.Datagram, 4)
	for range 20 { // 20 source ports
		write(t, second, dial(t, first, netip.MustParseAddr("127.0.0.1")), "query")
	}
	got := 0
	for n := second.Recv(in); n > 0; n = second.Recv(in) {
		got += n
	}
	if n := first.Recv(in); n != 0 || got != 20 {
		t.Errorf("second socket received %d of 20, first at least %d", got, n)
	}
}

func TestSteerProgram(t *testing.T) {
	for _, c := range []struct {
		cpus []int
		want map[int]int // CPU to socket
	}{
		{[]int{0, 1, 2, 3}, map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 4: 0, 7: 3}},
		{[]int{2, 3}, map[int]int{2: 0, 3: 1, 0: 0, 1: 1, 4: 0}},
		{[]int{8, 1, 9}, map[int]int{8: 0, 1: 1, 9: 2, 0: 0, 3: 0, 5: 2}},
	} {
		program, err := steerProgram(c.cpus)
		if err != nil {
			t.Fatal(err)
		}
		for cpu, want := range c.want {
			if got := runFilter(t, program, uint32(cpu)); got != uint32(want) {
				t.Errorf("cpus %v: CPU %d goes to socket %d, want %d", c.cpus, cpu, got, want)
			}
		}
	}
	for _, n := range []int{0, 5000} {
		if _, err := steerProgram(make([]int, n)); err == nil {
			t.Errorf("%d sockets: no error", n)
		}
	}
}

// runFilter interprets the few instructions that steerProgram uses.
func runFilter(t *testing.T, program []unix.SockFilter, cpu uint32) uint32 {
	t.Helper()
	var a uint32
	for pc := 0; pc < len(program); pc++ {
		switch in := program[pc]; in.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = cpu
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			if a == in.K {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		case unix.BPF_ALU | unix.BPF_MOD | unix.BPF_K:
			a %= in.K
		case unix.BPF_RET | unix.BPF_K:
			return in.K
		case unix.BPF_RET | unix.BPF_A:
			return a
		default:
			t.Fatalf("instruction %d: unknown code %#x", pc, in.Code)
		}
	}
	t.Fatal("program does not return")
	return 0
}

// pinToOneCPU keeps the test on one CPU and returns it.
func pinToOneCPU(t *testing.T) int {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	var set, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !set.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.SchedSetaffinity(0, &set) })
	return cpu
}
