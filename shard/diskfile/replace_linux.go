package diskfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Replace gives a file new content, whole or not at all, whenever the power fails. Only the daemon's user may read it.
// Who may write to the folder gains nothing by a link at either name: the new file is made where nothing is, and takes
// the place of a link, not of what that points to.
func Replace(path string, content []byte) error {
	p, err := Begin(path)
	if err != nil {
		return err
	}
	if _, err := p.Write(content); err != nil {
		return errors.Join(err, p.Discard())
	}
	return p.Commit()
}

// Pending is a file that is written beside the one that it will replace. Either Commit or Discard ends it.
type Pending struct {
	f    *os.File
	path string
}

// temporary is where the file that will replace another one is written.
func temporary(path string) string { return path + ".new" }

// Begin begins to replace a file; see Replace. What a process that was killed has left behind is removed.
func Begin(path string) (*Pending, error) {
	temp := temporary(path)
	if err := Sweep(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	return &Pending{f, path}, nil
}

// Sweep removes what a process has left beside a file that was killed while it replaced it.
func Sweep(path string) error {
	if err := os.Remove(temporary(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Write implements io.Writer. On an error, a full disk for example, the file that was there before is as it was.
func (p *Pending) Write(b []byte) (int, error) { return p.f.Write(b) }

// Sync returns when what has been written is on the disk.
func (p *Pending) Sync() error { return p.f.Sync() }

// Commit puts the file in the place of the old one, when all of it is on the disk. On an error the old one stays.
func (p *Pending) Commit() error {
	if err := errors.Join(p.f.Sync(), p.f.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary(p.path)))
	}
	if err := os.Rename(temporary(p.path), p.path); err != nil {
		return errors.Join(err, os.Remove(temporary(p.path)))
	}
	return syncFolder(p.path)
}

// Discard gives the new file up.
func (p *Pending) Discard() error { return errors.Join(p.f.Close(), os.Remove(temporary(p.path))) }

// Remove removes a file that Replace has written, for good. That there is none is no error.
func Remove(path string) error {
	switch err := os.Remove(path); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return syncFolder(path)
}

// syncFolder returns when the names in the folder of a file are on the disk.
func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("write the folder of %s to the disk: %w", path, err)
	}
	return nil
}
