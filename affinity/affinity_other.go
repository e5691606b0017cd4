//go:build !linux

package affinity

import (
	"fmt"
	"time"

	"heimdall/affinity/cpulist"
)

// Allowed returns an error that wraps ErrNotSupported.
func Allowed() ([]int, error) { return nil, fmt.Errorf("get allowed CPUs: %w", ErrNotSupported) }

// ThreadID returns 0.
func ThreadID() int { return 0 }

// ThreadTime returns 0.
func ThreadTime() uint64 { return 0 }

// PinThread returns an error that wraps ErrNotSupported.
func PinThread(cpu int) error {
	return fmt.Errorf("pin thread to CPU %d: %w", cpu, ErrNotSupported)
}

// SetThreadAffinity returns an error that wraps ErrNotSupported.
func SetThreadAffinity(cpus []int) error {
	return fmt.Errorf("keep thread on CPUs %s: %w", cpulist.Format(cpus), ErrNotSupported)
}

// HousekeepAll returns an error that wraps ErrNotSupported.
func HousekeepAll(cpus []int, skip []int) error {
	return fmt.Errorf("move threads to CPUs %s: %w", cpulist.Format(cpus), ErrNotSupported)
}

// ShortSlice returns an error that wraps ErrNotSupported.
func ShortSlice(slice time.Duration) error {
	return fmt.Errorf("set the thread's slice to %s: %w", slice, ErrNotSupported)
}

// Background returns an error that wraps ErrNotSupported.
func Background() error { return fmt.Errorf("lower the thread's priority: %w", ErrNotSupported) }

// MapLocal returns an error that wraps ErrNotSupported.
func MapLocal(node, size int, huge bool) ([]byte, error) {
	return nil, fmt.Errorf("map %d bytes: %w", size, ErrNotSupported)
}

// Unmap returns an error that wraps ErrNotSupported.
func Unmap(mem []byte) error {
	return fmt.Errorf("unmap %d bytes: %w", len(mem), ErrNotSupported)
}

// Migrate returns an error that wraps ErrNotSupported.
func Migrate(mem []byte, node int) error {
	return fmt.Errorf("move %d bytes: %w", len(mem), ErrNotSupported)
}

// On calls f.
func On(cpu int, f func()) { f() }
