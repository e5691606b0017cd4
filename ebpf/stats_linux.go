package ebpf

import "fmt"

// Stats adds up the counters of all CPUs.
func (p *Program) Stats() (s Stats, err error) {
	var each []uint64
	for e := range s {
		if err := p.objs.Exits.Lookup(uint32(e), &each); err != nil {
			return s, fmt.Errorf("read the counters of the XDP program: %w", err)
		}
		for _, n := range each {
			s[e] += n
		}
	}
	return s, nil
}
