package anchors

import (
	"errors"
	"os"

	"heimdall/core/dnssec"
	"heimdall/shard/diskfile"
)

// errNotRoot: only the root's trust anchor is updated.
var errNotRoot = errors.New("the state is not that of the root zone")

// CheckState tells what is wrong with the state file of the update. One that is not there yet is good.
func CheckState(path string) error {
	_, err := readState(path)
	return err
}

// readState reads the state of the update, nil if there is no file yet.
func readState(path string) (*dnssec.TrustPoint, error) {
	text, err := diskfile.ReadOwn(path, maxFile)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	point, err := dnssec.ParseTrustPoint(path, string(text))
	if err == nil && !point.Zone.IsRoot() {
		return nil, errNotRoot
	}
	return point, err
}
