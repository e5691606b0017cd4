package affinity

import (
	"slices"
	"testing"
)

// What the control group takes from a process is none of its own mask.
func TestOwnMask(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6, 7}
	for _, c := range []struct {
		what                string
		mask, group, online []int
		want                []int
	}{
		{"a group alone", []int{0, 1, 2, 3}, []int{0, 1, 2, 3}, all, all},
		{"a group with a CPU that is off", []int{0, 1, 2}, []int{0, 1, 2, 3}, []int{0, 1, 2, 4, 5, 6, 7}, all},
		{"a mask within a group", []int{0, 1}, []int{0, 1, 2, 3}, all, []int{0, 1}},
		{"a mask alone", []int{0, 1}, nil, all, []int{0, 1}},
		{"not known", nil, []int{0, 1}, all, nil},
	} {
		if got := ownMask(c.mask, c.group, c.online, all); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}
