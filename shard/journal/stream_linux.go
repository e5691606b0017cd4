package journal

import (
	"fmt"
	"os"
	"syscall"
)

// IsStream tells whether f is the stream to the journal that the service manager has opened, as JOURNAL_STREAM in the
// environment names it by device and inode (systemd.exec(5)).
func IsStream(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}
