package supervisor

import (
	"heimdall/core/config"
	"heimdall/core/dnssec"
	"heimdall/shard/diskfile"
)

// maxAnchors bounds a trust anchor file in bytes; that of the root has 500.
const maxAnchors = 1 << 20

// loadAnchors returns where the chains of trust begin and where they end by the operator's word. Nil means that
// nothing is validated.
func loadAnchors(c *config.Config) ([]dnssec.Anchor, error) {
	r := &c.Recursion
	if !r.Validation {
		return nil, nil
	}
	list := []dnssec.Anchor{dnssec.RootAnchor()}
	if r.TrustAnchors != "" {
		text, err := diskfile.Read(r.TrustAnchors, maxAnchors)
		if err != nil {
			return nil, c.Problem("recursion.trust_anchors", "%v", err)
		}
		if list, err = dnssec.ParseAnchors(r.TrustAnchors, string(text)); err != nil {
			return nil, c.Problem("recursion.trust_anchors", "the file has errors\n%v", err)
		}
		if len(list) == 0 {
			return nil, c.Problem("recursion.trust_anchors", `%s has no DS or DNSKEY record; "" takes the built-in ones`, r.TrustAnchors)
		}
	}
	for _, zone := range r.NegativeTrustAnchors {
		list = append(list, dnssec.Anchor{Zone: zone, Negative: true})
	}
	return list, nil
}
