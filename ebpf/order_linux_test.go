package ebpf

import (
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// atomicExchange is the instruction of the read barriers: kernel, include/uapi/linux/bpf.h, BPF_XCHG.
const atomicExchange = 0xe1

// Where CPUs reorder loads, the reader of a hot answer has a barrier behind the first reading of the serial, and one
// before the second. Where they do not, the kernel has taken both out.
func TestRootReadBarriers(t *testing.T) {
	for _, barriers := range []bool{false, true} {
		spec, err := loadXdp()
		if err != nil {
			t.Fatal(err)
		}
		if err := prepare(spec, Options{Epoch: time.Now(), Entries: 16, barriers: barriers}, newQuestionKeys(Seed{1})); err != nil {
			t.Fatal(err)
		}
		var weak uint32
		if err := spec.Variables[xdpVarWeaklyOrdered].Get(&weak); err != nil || weak != 0 != (barriers || reorders) {
			t.Errorf("barriers %v: the variable is %d, %v", barriers, weak, err)
		}
		all, err := ebpf.NewCollection(spec)
		if err != nil {
			skipIfUnsupported(t, explain("load", err))
			t.Fatal(err)
		}
		t.Cleanup(all.Close)
		info, err := all.Programs["heimdall"].Info()
		if err != nil {
			t.Fatal(err)
		}
		list, err := info.Instructions() // as the verifier has left them
		if err != nil {
			t.Fatal(err)
		}
		want, got := 0, 0
		if weak != 0 {
			want = 2
		}
		for _, ins := range list {
			if ins.OpCode.Class() == asm.StXClass && ins.OpCode.Mode() == asm.AtomicMode && ins.Constant == atomicExchange {
				got++
			}
		}
		if got != want {
			t.Errorf("barriers %v: %d are in the kernel, want %d", barriers, got, want)
		}
	}
}
