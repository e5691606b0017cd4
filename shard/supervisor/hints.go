package supervisor

import (
	"bytes"
	"fmt"
	"net/netip"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/resolver"
)

// maxHints bounds a root hints file in bytes; the real one has 3,300.
const maxHints = 1 << 20

// loadHints reads root hints in the form of a master file: NS records of the root and the addresses of the
// servers they name. An empty path stands for the built-in ones, and so does a file without servers.
func loadHints(path string) ([]resolver.Hint, error) {
	if path == "" {
		return resolver.DefaultHints(), nil
	}
	text, err := readFile(path, maxHints, 0)
	if err != nil {
		return nil, fmt.Errorf("read recursion.root_hints: %w", err)
	}
	servers := map[string]bool{}
	addrs := map[string][]netip.Addr{}
	z := dns.NewZoneParser(bytes.NewReader(text), ".", path)
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		owner := dns.CanonicalName(rr.Header().Name)
		switch rr := rr.(type) {
		case *dns.NS:
			if owner == "." {
				servers[dns.CanonicalName(rr.Ns)] = true
			}
		case *dns.A:
			if a, ok := netip.AddrFromSlice(rr.A); ok {
				addrs[owner] = append(addrs[owner], a.Unmap())
			}
		case *dns.AAAA:
			if a, ok := netip.AddrFromSlice(rr.AAAA); ok {
				addrs[owner] = append(addrs[owner], a)
			}
		}
	}
	if err := z.Err(); err != nil {
		return nil, fmt.Errorf("read recursion.root_hints: %w", err)
	}
	var hints []resolver.Hint
	for server := range servers {
		name, err := dname.ParseText(nil, server)
		if err != nil {
			return nil, fmt.Errorf("read recursion.root_hints: %s: %w", server, err)
		}
		for _, a := range addrs[server] {
			hints = append(hints, resolver.Hint{Name: name, Addr: a})
		}
	}
	if len(servers) == 0 {
		return resolver.DefaultHints(), nil
	}
	if len(hints) == 0 {
		return nil, fmt.Errorf("read recursion.root_hints: %s names servers of the root without an address", path)
	}
	return hints, nil
}
