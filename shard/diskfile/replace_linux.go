package diskfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Replace gives a file new content, whole or not at all, whenever the power fails. Only the daemon's user may read it.
// Who may write to the folder gains nothing by a link at either name: the new file is made where nothing is, and takes
// the place of a link, not of what that points to.
func Replace(path string, content []byte) error {
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) { // left by a process that was killed
		return err
	}
	if err := write(temp, content); err != nil {
		os.Remove(temp)
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// write returns when the content is on the disk.
func write(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	return fill(f, content)
}

// fill writes all of a file, and closes it.
func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
