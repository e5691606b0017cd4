package slots

import "math/bits"

// Heads makes the heads of a hash table for n slots: as many as the smallest power of two that is at least n, each -1,
// which leads to no slot.
func Heads(n int) []int32 {
	h := make([]int32, 1<<bits.Len(uint(n-1)))
	for i := range h {
		h[i] = -1
	}
	return h
}
