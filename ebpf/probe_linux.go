package ebpf

import (
	"errors"
	"fmt"
	"time"

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

// TryPrograms loads the programs into the kernel, with all that their options switch on, and takes them out again. What the
// kernel's verifier has against one is a Rejection.
func TryPrograms() []Feature {
	rlimit.RemoveMemlock()
	try := func(o Options) error {
		o.Epoch, o.Entries = time.Now(), 1
		p, err := Load(o)
		if err != nil {
			return err
		}
		return p.Close()
	}
	steer := func() error {
		s, err := loadSteering(ByName, Seed{}, nil)
		if err != nil {
			return err
		}
		return s.Close()
	}
	return []Feature{
		{"the XDP program", try(Options{})},
		{"the XDP program with xdp.reverse_path", try(Options{Reverse: ReverseStrict})},
		{"the program that steers by name", steer()},
	}
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
