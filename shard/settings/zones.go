package settings

import (
	"slices"

	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/shard/zones"
)

// Zones are the zones that are to be served. An error about one has the line of its key.
func Zones(c *config.Config) zones.Given {
	g := zones.Given{Elsewhere: routed(c)}
	for i, z := range c.Zone {
		g.Zones = append(g.Zones, zones.Zone{
			Name: z.Name, File: z.File, IncludeFolder: z.IncludeFolder,
			Place: func(key string, err error) error { return c.Problem(config.Element("zone", i)+"."+key, "%v", err) },
		})
	}
	return g
}

// routed lists the zones whose names other servers are asked for. Without recursion nobody is asked.
func routed(c *config.Config) (list []dname.Name) {
	if !c.Recursion.Enabled {
		return nil
	}
	for _, u := range slices.Concat(c.Forward, c.Stub) {
		list = append(list, dname.Name(u.Zone))
	}
	return list
}
