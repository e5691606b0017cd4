package diskfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Read reads a regular file of at most limit bytes, and never more than that into memory, whatever it says of its
// size or becomes meanwhile. It waits for nobody: a pipe or a device is an error.
func Read(path string, limit int64) ([]byte, error) { return read(path, limit, 0) }

// ReadOwn is Read for a file that Replace writes: a symbolic link in its place is an error.
func ReadOwn(path string, limit int64) ([]byte, error) { return read(path, limit, syscall.O_NOFOLLOW) }

// read is Read with flags of open beside O_RDONLY.
func read(path string, limit int64, flags int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|flags, 0)
	if errors.Is(err, syscall.ELOOP) && flags&syscall.O_NOFOLLOW != 0 {
		return nil, fmt.Errorf("%s is a symbolic link, which somebody else may turn elsewhere; name the file itself", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := Regular(f, path); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return text, err
}

// Regular returns what the kernel says of an open file, and an error unless it is a regular one.
func Regular(f *os.File, path string) (os.FileInfo, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory; name a file in it", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	return info, nil
}
