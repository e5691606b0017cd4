package settings

import (
	"net/netip"
	"slices"

	"heimdall/core/config"
)

// Place tells in which file and line a key stands, or the prefix of a list of clients; empty: in none.
func Place(c *config.Config, key string, p netip.Prefix) string {
	var list []netip.Prefix
	switch key {
	case "recursion.allow":
		list = c.Recursion.Allow
	case "limit.deny":
		list = c.Limit.Deny
	case "limit.exempt":
		list = c.Limit.Exempt
	}
	if i := slices.Index(list, p); i >= 0 {
		return c.Place(config.Element(key, i))
	}
	return c.Place(key)
}
