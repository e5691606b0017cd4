package ebpf

import "fmt"

// TableBytes returns the size of the table of hot answers in bytes. Longer ones have memory of their own beside it.
func (p *Program) TableBytes() uint64 {
	m := p.objs.Answers
	return uint64(m.MaxEntries()) * uint64(m.ValueSize())
}

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
