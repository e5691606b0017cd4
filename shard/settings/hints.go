package settings

import (
	"bytes"
	"net/netip"

	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/core/zonefile"
	"heimdall/shard/diskfile"
)

// maxHints bounds a root hints file in bytes; the real one has 3,300.
const maxHints = 1 << 20

// Hints reads root hints in the form of a master file: NS records of the root and the addresses of the
// servers they name. An empty path stands for the built-in ones, and so does a file without servers.
func Hints(c *config.Config) ([]resolver.Hint, error) {
	path := c.Recursion.RootHints
	if path == "" {
		return resolver.DefaultHints(), nil
	}
	text, err := diskfile.Read(path, maxHints)
	if err != nil {
		return nil, c.Problem("recursion.root_hints", "%v", err)
	}
	var servers []dname.Name // in lower case
	addrs := map[string][]netip.Addr{}
	o := zonefile.Options{Name: path, HasTTL: true} // nobody asks for how long
	err = zonefile.Read(bytes.NewReader(text), o, func(r *zonefile.Record) error {
		if r.Class != wire.ClassIN {
			return nil
		}
		switch r.Type {
		case wire.TypeNS:
			if r.Owner.IsRoot() {
				servers = append(servers, dname.AppendLower(nil, dname.Name(r.RData)))
			}
		case wire.TypeA, wire.TypeAAAA:
			a, _ := netip.AddrFromSlice(r.RData)
			owner := string(dname.AppendLower(nil, r.Owner))
			addrs[owner] = append(addrs[owner], a)
		}
		return nil
	})
	if err != nil {
		return nil, c.Problem("recursion.root_hints", "the file has errors\n%v", zonefile.EveryError(err))
	}
	var hints []resolver.Hint
	seen := map[string]bool{}
	for _, name := range servers {
		if seen[string(name)] {
			continue
		}
		seen[string(name)] = true
		for _, a := range addrs[string(name)] {
			hints = append(hints, resolver.Hint{Name: name, Addr: a})
		}
	}
	if len(servers) == 0 {
		return resolver.DefaultHints(), nil
	}
	if len(hints) == 0 {
		return nil, c.Problem("recursion.root_hints", "%s names servers of the root without an address", path)
	}
	return hints, nil
}
