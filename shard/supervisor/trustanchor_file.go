package supervisor

import (
	"errors"
	"os"

	"heimdall/core/dnssec"
	"heimdall/shard/diskfile"
)

// errNotRoot: only the root's trust anchor is updated.
var errNotRoot = errors.New("the state is not that of the root zone")

// readTrustPoint reads the state of the automatic update, nil if there is no file yet.
func readTrustPoint(path string) (*dnssec.TrustPoint, error) {
	text, err := diskfile.ReadOwn(path, maxAnchors)
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
