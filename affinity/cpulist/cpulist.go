// Package cpulist is the list format of CPU and node numbers, as the kernel and taskset write it: "0-3,8".
package cpulist

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// End is one more than the highest number taken: Linux is built for at most 8192 CPUs (CONFIG_NR_CPUS).
const End = 8192

// Parse reads a list and returns its numbers in ascending order. The empty string is the empty list. A number that
// stands twice, a range that runs backwards and a number from End on are errors.
func Parse(s string) ([]int, error) {
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
		if len(list)+high-low >= End {
			return nil, fmt.Errorf("CPU list %q: a number stands twice", s)
		}
		for n := low; n <= high; n++ {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	for i := 1; i < len(list); i++ {
		if list[i] == list[i-1] {
			return nil, fmt.Errorf("CPU list %q: %d stands twice", s, list[i])
		}
	}
	return list, nil
}

func parseNumber(s string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0, fmt.Errorf(`%q is not a number; write the list like "0-3,8"`, s)
	}
	if n >= End {
		return 0, fmt.Errorf("%d is above %d", n, End-1)
	}
	return int(n), nil
}

// Format writes ascending numbers the way Parse reads them, neighbours as ranges.
func Format(list []int) string {
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
