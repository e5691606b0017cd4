package diskfile

import (
	"fmt"
	"os"
)

// Read reads a regular file of at most limit bytes, and never more than that into memory, whatever it says of its
// size or becomes meanwhile. It waits for nobody: a pipe or a device is an error.
func Read(path string, limit int64) ([]byte, error) {
	f, err := open(path, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := Regular(f, path); err != nil {
		return nil, err
	}
	return readAll(f, path, limit)
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
