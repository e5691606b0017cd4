package ebpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/rlimit"
)

// Probe asks the kernel for what the programs need, one by one, so that it can be told what is missing. It loads
// small programs and makes small maps, which are gone when it returns.
func Probe() []Feature {
	// Before Linux 5.11 BPF memory counts as locked memory.
	limit := rlimit.RemoveMemlock()
	list := []Feature{
		{"XDP programs", features.HaveProgramType(ebpf.XDP)},
		{"SK_REUSEPORT programs", features.HaveProgramType(ebpf.SkReuseport)},
		{"AF_XDP socket maps", features.HaveMapType(ebpf.XSKMap)},
		{"LPM tries", features.HaveMapType(ebpf.LPMTrie)},
		{"ring buffers", features.HaveMapType(ebpf.RingBuf)},
		{"v3 instructions", features.HaveV3ISA()},
		{"the coarse clock", features.HaveProgramHelper(ebpf.XDP, asm.FnKtimeGetCoarseNs)},
		{"room behind packets", features.HaveProgramHelper(ebpf.XDP, asm.FnXdpAdjustTail)},
	}
	for i := range list {
		if err := list[i].Err; err != nil && !errors.Is(err, ErrNotSupported) {
			list[i].Err = errors.Join(err, limit)
		}
	}
	return list
}

// ProgramName returns the name of a program that is in the kernel.
func ProgramName(id uint32) (string, error) {
	p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
	if err != nil {
		return "", fmt.Errorf("look up program %d: %w", id, err)
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return "", fmt.Errorf("look up program %d: %w", id, err)
	}
	return info.Name, nil
}
