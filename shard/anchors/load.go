package anchors

import (
	"fmt"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/shard/diskfile"
)

// maxFile bounds a trust anchor file, and the state of the update, in bytes; those of the root have 500.
const maxFile = 1 << 20

// Given are the anchors of a configuration.
type Given struct {
	Anchors []dnssec.Anchor // nil: nothing is validated
	File    string          // that has the positive ones; empty: they are the built-in ones
	State   string          // file of the update of the root's; empty: there is no update
}

// Load returns the positive anchors of a file, or the built-in ones for an empty path, and negative ones of zones.
func Load(path string, negative []dname.Name) (Given, error) {
	g := Given{Anchors: []dnssec.Anchor{dnssec.RootAnchor()}, File: path}
	if path != "" {
		text, err := diskfile.Read(path, maxFile)
		if err != nil {
			return Given{}, err
		}
		if g.Anchors, err = dnssec.ParseAnchors(path, string(text)); err != nil {
			return Given{}, fmt.Errorf("the file has errors\n%w", err)
		}
		if len(g.Anchors) == 0 {
			return Given{}, fmt.Errorf(`%s has no DS or DNSKEY record; "" takes the built-in ones`, path)
		}
	}
	for _, zone := range negative {
		g.Anchors = append(g.Anchors, dnssec.Anchor{Zone: zone, Negative: true})
	}
	return g, nil
}
