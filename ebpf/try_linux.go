package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Verdict is what the program has the kernel do with a packet.
type Verdict uint32

// The verdicts, as the kernel numbers them.
const (
	Drop Verdict = 1
	Pass Verdict = 2
	Send Verdict = 3
)

// Try runs the program on an Ethernet frame in the kernel's test runner, attached or not, and returns the
// frame as it leaves. The counters count it.
func (p *Program) Try(frame []byte) (Verdict, []byte, error) {
	o := ebpf.RunOptions{Data: frame, DataOut: make([]byte, len(frame)+1024)}
	v, err := p.objs.Heimdall.Run(&o)
	if err != nil {
		return 0, nil, fmt.Errorf("run the XDP program: %w", err)
	}
	return Verdict(v), o.DataOut, nil
}
