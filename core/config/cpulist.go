package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCPU is the highest CPU number taken: Linux is built for at most 8192 CPUs (CONFIG_NR_CPUS).
const maxCPU = 8191

// ParseCPUs reads a list of CPU numbers and ranges such as "0-3,8", the format of taskset and of the
// kernel's cpulist files without strides. No CPU may stand twice. The result is ascending.
func ParseCPUs(s string) ([]int, error) {
	var cpus []int
	var seen [maxCPU + 1]bool
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		first, err := parseCPU(from)
		if err != nil {
			return nil, fmt.Errorf("CPU list %q: %w", s, err)
		}
		last := first
		if isRange {
			if last, err = parseCPU(to); err != nil {
				return nil, fmt.Errorf("CPU list %q: %w", s, err)
			}
		}
		if last < first {
			return nil, fmt.Errorf("CPU list %q: range %d-%d goes backwards", s, first, last)
		}
		for cpu := first; cpu <= last; cpu++ {
			if seen[cpu] {
				return nil, fmt.Errorf("CPU list %q: CPU %d stands twice", s, cpu)
			}
			seen[cpu] = true
			cpus = append(cpus, cpu)
		}
	}
	slices.Sort(cpus)
	return cpus, nil
}

func parseCPU(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	switch {
	case err != nil:
		return 0, fmt.Errorf(`%q is no CPU number; write the list like "0-3,8"`, s)
	case n > maxCPU:
		return 0, fmt.Errorf("CPU %d is above %d", n, maxCPU)
	}
	return int(n), nil
}

// FormatCPUs is the inverse of ParseCPUs, with ranges where neighbours follow each other.
func FormatCPUs(cpus []int) string {
	var b strings.Builder
	for i := 0; i < len(cpus); {
		end := i
		for end+1 < len(cpus) && cpus[end+1] == cpus[end]+1 {
			end++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(cpus[i]))
		if end > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(cpus[end]))
		}
		i = end + 1
	}
	return b.String()
}
