package zone

import "fmt"

// Copy makes a second Zone that answers as z does, in memory of z.Memory() bytes that alloc gives, and that may
// be nearer to those who ask it. The copy shares nothing with z that answering reads often.
func (z *Zone) Copy(alloc func(size int) ([]byte, error)) (*Zone, error) {
	memory := Memory{Alloc: alloc}
	mem, err := memory.alloc(z.memory)
	if err != nil {
		return nil, fmt.Errorf("copy zone %s: %w", z.origin, err)
	}
	c := *z
	c.mem = mem[:copy(mem, z.mem)]
	at := int(z.buckets) * bucketLen
	c.chain = c.mem[at : at+len(z.chain) : at+len(z.chain)]
	at += len(z.chain)
	c.hashes = c.mem[at : at+len(z.hashes) : at+len(z.hashes)]
	c.setApex()
	c.setParams()
	return &c, nil
}
