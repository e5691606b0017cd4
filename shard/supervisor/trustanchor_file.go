package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"heimdall/core/dnssec"
)

// errNotRoot: only the root's trust anchor is updated.
var errNotRoot = errors.New("the state is not that of the root zone")

// readTrustPoint reads the state of the automatic update, nil if there is no file yet.
func readTrustPoint(path string) (*dnssec.TrustPoint, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case len(text) > maxAnchors:
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxAnchors)
	}
	point, err := dnssec.ParseTrustPoint(path, string(text))
	if err == nil && !point.Zone.IsRoot() {
		return nil, errNotRoot
	}
	return point, err
}

// replaceFile gives a file new content, whole or not at all, whenever the power fails.
func replaceFile(path string, content []byte) error {
	temp := path + ".new"
	if err := writeFile(temp, content); err != nil {
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

// writeFile returns when the content is on the disk.
func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
