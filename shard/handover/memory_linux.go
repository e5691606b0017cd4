package handover

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// seals keep everybody, whoever has the descriptor, from changing what the memory holds.
const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// Memory returns a file in memory, to be handed over when it is Sealed.
func Memory() (*os.File, error) {
	fd, err := unix.MemfdCreate("heimdall-cache", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), "heimdall-cache"), nil
}

// Seal makes a file in memory one that cannot change any more.
func Seal(f *os.File) error {
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal a file in memory: %w", err)
	}
	return nil
}

// Sealed makes a file of a descriptor that another process has handed over, which it takes over, and tells its size in bytes. An
// error says that somebody may still change it.
func Sealed(fd int) (*os.File, int64, error) {
	f := os.NewFile(uintptr(fd), "heimdall-cache")
	has, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err == nil && has&seals != seals {
		err = errors.New("it is not sealed")
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("take over a file in memory: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("take over a file in memory: %w", err)
	}
	return f, info.Size(), nil
}
