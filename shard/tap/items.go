package tap

import (
	"bytes"
	"encoding/binary"
)

// shape tells where in octets that are written one item ends and the next begins.
type shape struct {
	count func(b []byte) (n int)    // whole items in b, of which the first begins at its start
	whole func(b []byte, n int) int // the end of the last item that ends at or before n
	begin []byte                    // what a file starts with
	end   []byte                    // and ends with
}

// lines end with a line feed.
var lineShape = shape{
	count: func(b []byte) int { return bytes.Count(b, []byte{'\n'}) },
	whole: func(b []byte, n int) int { return bytes.LastIndexByte(b[:n], '\n') + 1 },
}

// frameEnd returns where the data frame ends that begins at a place.
func frameEnd(b []byte, at int) int { return at + 4 + int(binary.BigEndian.Uint32(b[at:])) }

func countFrames(b []byte) (n int) {
	for at := 0; at < len(b); at = frameEnd(b, at) {
		n++
	}
	return n
}

func wholeFrames(b []byte, n int) (end int) {
	for end < len(b) {
		next := frameEnd(b, end)
		if next > n {
			break
		}
		end = next
	}
	return end
}
