package diskfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// OpenOwn opens a file that Replace has written, of at most limit bytes. What somebody else may have written is an error: a
// symbolic link in its place, a file of another user than this one and root, one that others may write to.
func OpenOwn(path string, limit int64) (f *os.File, size int64, err error) {
	f, err = open(path, syscall.O_NOFOLLOW)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := Regular(f, path)
	if err != nil {
		return nil, 0, err
	}
	if of, ok := info.Sys().(*syscall.Stat_t); ok && of.Uid != 0 && int(of.Uid) != os.Geteuid() {
		return nil, 0, fmt.Errorf("%s belongs to user %d, and this is user %d; remove it, or give it to the daemon's user", path, of.Uid, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return nil, 0, fmt.Errorf("others may write to %s (mode %04o); check what it has, and chmod it to 0600", path, mode)
	}
	if info.Size() > limit {
		return nil, 0, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return f, info.Size(), nil
}

// ReadOwn reads all of a file that OpenOwn opens.
func ReadOwn(path string, limit int64) ([]byte, error) {
	f, _, err := OpenOwn(path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path, limit)
}

// open opens a file for reading, with further flags, and waits for nobody.
func open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|flags, 0)
	if errors.Is(err, syscall.ELOOP) && flags&syscall.O_NOFOLLOW != 0 {
		return nil, fmt.Errorf("%s is a symbolic link, which somebody else may turn elsewhere; name the file itself", path)
	}
	return f, err
}

// readAll reads a file of at most limit bytes, whatever it becomes meanwhile.
func readAll(f *os.File, path string, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return text, err
}
