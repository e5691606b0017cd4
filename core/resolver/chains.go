package resolver

import "heimdall/core/resolver/known"

// chainLimit bounds what a task may keep of a chain of aliases, in octets: maxChain signed CNAME or DNAME
// records with the longest names.
const chainLimit = 16 << 10

// chainKept is what a buffer of a chain may have grown to and still be kept, in octets.
const chainKept = 1024

// chains are the buffers of the tasks that have followed an alias. They are made when first needed and
// then used again; there are never more than tasks.
type chains struct {
	list []known.Records
	free []int32
}

// extend appends recs to the buffer *at, which it makes if it is -1.
func (c *chains) extend(at *int32, recs known.Records) {
	if *at < 0 {
		if n := len(c.free); n > 0 {
			*at, c.free = c.free[n-1], c.free[:n-1]
		} else {
			*at = int32(len(c.list))
			c.list = append(c.list, make(known.Records, 0, chainKept))
		}
	}
	c.list[*at] = append(c.list[*at], recs...)
}

// get returns the content of buffer at; at may be -1.
func (c *chains) get(at int32) known.Records {
	if at < 0 {
		return nil
	}
	return c.list[at]
}

// release gives the buffer *at back and returns how much of what is held is free again.
func (c *chains) release(at *int32) (freed int) {
	if *at >= 0 {
		freed = len(c.list[*at])
		c.list[*at] = trim(c.list[*at], chainKept)
		c.free = append(c.free, *at)
		*at = -1
	}
	return freed
}
