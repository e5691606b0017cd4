package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"
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
