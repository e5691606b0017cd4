//go:build !linux

package journal

import "os"

// IsStream tells that f is no stream to the journal: there is none here.
func IsStream(*os.File) bool { return false }
