package ebpf

import (
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// takesFrags tells whether the kernel knows programs that take packets in several buffers (since Linux 5.18). Drivers then
// take the program with an MTU beyond one buffer, and do not drop what is longer. The program sees the first buffer alone:
// to it, what does not end there is cut off, and it leaves that to the kernel's stack.
var takesFrags = sync.OnceValue(func() bool {
	p, err := passAll(true)
	if err != nil {
		return false
	}
	p.Close()
	return true
})

// passAll loads a program that passes everything, and takes packets in several buffers or not.
func passAll(frags bool) (*ebpf.Program, error) {
	spec := &ebpf.ProgramSpec{
		Type: ebpf.XDP, AttachType: ebpf.AttachXDP, License: "Dual BSD/GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, int32(Pass)), asm.Return()},
	}
	if frags {
		spec.Flags |= unix.BPF_F_XDP_HAS_FRAGS
	}
	return ebpf.NewProgram(spec)
}
