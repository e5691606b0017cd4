package servers

import (
	"encoding/binary"
	"time"
)

// How long servers are believed to lack what they have shown to lack, in nanoseconds.
const (
	EDNSMemory = int64(15 * time.Minute)
	CaseMemory = int64(60 * time.Minute)
)

// Capability is whether a server does something that is optional.
type Capability uint8

const (
	Unknown Capability = iota
	Works
	Broken // for a while
)

func (c Capability) String() string { return [...]string{"unknown", "yes", "no"}[c] }

// Feature is what has been learned of one optional feature of a server. The zero value knows nothing.
type Feature struct {
	state Capability
	doubt uint8 // times that queries with it seemed to be dropped
	until int64 // of Broken
}

// State tells what is known.
func (f *Feature) State() Capability { return f.state }

// Use says whether to use the feature. What was found broken is tried again after a while.
func (f *Feature) Use(now int64) bool {
	if f.state == Broken && now >= f.until {
		f.state = Unknown
	}
	return f.state != Broken
}

// Seen tells that the server has shown the feature.
func (f *Feature) Seen() { f.state, f.doubt = Works, 0 }

// Heard tells that no query with the feature was dropped, whatever the server makes of it.
func (f *Feature) Heard() { f.doubt = 0 }

// Lacks tells that the server has shown to lack the feature, which is believed for so many nanoseconds.
func (f *Feature) Lacks(now, memory int64) { f.state, f.until = Broken, now+memory }

// Doubt tells that the server answered only when asked without the feature, which may have been loss. That is believed for
// first nanoseconds, and twice as long each time, up to most.
func (f *Feature) Doubt(now, first, most int64) {
	f.Lacks(now, min(most, first<<f.doubt))
	f.doubt = min(f.doubt+1, 10)
}

// Cookie is the pair of cookies that is used with a server. The zero value has none yet.
type Cookie struct {
	ours      [8]byte // made when first needed
	theirs    [32]byte
	theirsLen uint8
}

// Append appends the cookies to send.
func (c *Cookie) Append(dst []byte, rnd Rand) []byte {
	if c.ours == [8]byte{} {
		binary.LittleEndian.PutUint64(c.ours[:], rnd.Uint64()|1)
	}
	return append(append(dst, c.ours[:]...), c.theirs[:c.theirsLen]...)
}

// Returned says whether the data of a COOKIE option begins with our cookie.
func (c *Cookie) Returned(data []byte) bool {
	return len(data) >= len(c.ours) && [8]byte(data) == c.ours
}

// Keep keeps the server's cookie out of an option that was Returned; false if there is none of a length that RFC 7873 allows.
func (c *Cookie) Keep(data []byte) bool {
	size := len(data) - len(c.ours)
	if size < 8 || size > len(c.theirs) {
		return false
	}
	c.theirsLen = uint8(copy(c.theirs[:], data[len(c.ours):]))
	return true
}
