package zone

import "heimdall/core/dname"

// NewUnready makes a Zone without records, in the place of one that could not be loaded. Queries for its names
// are answered SERVFAIL: a server that knows which names are its own, but not what they hold, must neither deny
// them nor ask others for them.
func NewUnready(origin dname.Name) *Zone {
	return &Zone{mem: make([]byte, bucketLen), buckets: 1, nodes: bucketLen, origin: dname.AppendLower(nil, origin)}
}

// Ready reports whether the zone has contents: false for those of NewUnready.
func (z *Zone) Ready() bool { return z.apex != 0 } // every node follows the index, which is not empty
