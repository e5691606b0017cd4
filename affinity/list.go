package affinity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseList reads a list of CPU or node numbers as the kernel and taskset write
// it, "0-3,8", and returns them in ascending order. The empty string is the empty
// list. A number named twice, a range that runs backwards and a number above 8191
// are errors.
func ParseList(s string) ([]int, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	var list []int
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		low, err := parseNumber(first)
		if err != nil {
			return nil, fmt.Errorf("CPU list %q: %w", s, err)
		}
		high := low
		if isRange {
			if high, err = parseNumber(last); err != nil {
				return nil, fmt.Errorf("CPU list %q: %w", s, err)
			}
		}
		if high < low {
			return nil, fmt.Errorf("CPU list %q: range %d-%d runs backwards", s, low, high)
		}
		// Checked before the next part may add as many again.
		if len(list)+high-low >= maxCPUs {
			return nil, fmt.Errorf("CPU list %q: a number is named twice", s)
		}
		for n := low; n <= high; n++ {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	for i := 1; i < len(list); i++ {
		if list[i] == list[i-1] {
			return nil, fmt.Errorf("CPU list %q: %d is named twice", s, list[i])
		}
	}
	return list, nil
}

func parseNumber(s string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	if n >= maxCPUs {
		return 0, fmt.Errorf("%d is above %d", n, maxCPUs-1)
	}
	return int(n), nil
}

// FormatList writes ascending numbers the way ParseList reads them: "0-3,8".
func FormatList(list []int) string {
	var b strings.Builder
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(list[i]))
		if j > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(list[j]))
		}
		i = j + 1
	}
	return b.String()
}

// contains reports whether an ascending list holds n.
func contains(list []int, n int) bool {
	_, found := slices.BinarySearch(list, n)
	return found
}

// intersect returns what both lists hold, in the order of a.
func intersect(a, b []int) []int {
	return slices.DeleteFunc(slices.Clone(a), func(n int) bool { return !contains(b, n) })
}

// subtract returns what a holds and b does not, in the order of a.
func subtract(a, b []int) []int {
	return slices.DeleteFunc(slices.Clone(a), func(n int) bool { return contains(b, n) })
}
