//go:build !linux

package snapshot

import "time"

// Now tells the time.
func Now() Time { return Time{Wall: time.Now().UnixNano()} }
