package zones

import "heimdall/core/dname"

// Zone is one that a configuration has.
type Zone struct {
	Name          dname.Name // in lower case
	File          string     // its master file
	IncludeFolder string     // below which $INCLUDE may read, beside the folder of File; empty: nowhere
	// Place puts where the configuration has a key of the zone, "file" or "include_folder", before an error; nil: nothing is put there.
	Place func(key string, err error) error
}

// at is err with the place of a key.
func (c *Zone) at(key string, err error) error {
	if c.Place == nil {
		return err
	}
	return c.Place(key, err)
}

// Given are the zones of a configuration.
type Given struct {
	Zones     []Zone
	Elsewhere []dname.Name // zones whose names other servers are asked for: they are not served, unless a zone begins there
}
