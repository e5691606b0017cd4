package diskfile

import "golang.org/x/sys/unix"

// Writable tells what keeps this process, with its effective rights, from making files in a folder.
func Writable(dir string) error {
	return unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}
