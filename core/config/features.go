package config

// Features says which parts are in a build. What a configuration asks of the others is an error, not
// silently left undone. The zero value has none of them.
type Features struct {
	XDP       bool // the XDP program
	XSK       bool // AF_XDP sockets
	Uring     bool // io_uring
	SteerName bool // steering by name
	Zones     bool // authoritative zones
	Recursion bool // iterative resolution; without it forwarding and stubs only
	DNSSEC    bool // validation
}

// features rejects what is not in this build. Values that ask for nothing, as the defaults do, pass: they
// have the effect that they name, or none.
func (k *checker) features(f Features) {
	c := k.config
	missing := func(has, wanted bool, path, what, instead string) {
		if wanted && !has {
			k.reject(path, "%s is not in this build; %s", what, instead)
		}
	}
	missing(f.XDP, c.XDP.Mode != "off", "xdp.mode", "the XDP program", `set "off"`)
	missing(f.XSK, c.IO.Backend == "xsk", "io.backend", "AF_XDP", `set "auto" or "mmsg"`)
	missing(f.Uring, c.IO.Backend == "uring", "io.backend", "io_uring", `set "auto" or "mmsg"`)
	missing(f.SteerName, c.XDP.Steer == "name", "xdp.steer", "steering by name", `set "flow" or "cpu"`)
	for i := range c.Zone {
		missing(f.Zones, true, Element("zone", i), "serving zones", "remove the table")
	}
	r := &c.Recursion
	missing(f.Recursion, r.RootHints != "", "recursion.root_hints", "resolution from the root", `set ""`)
	missing(f.DNSSEC, r.TrustAnchors != "", "recursion.trust_anchors", "DNSSEC validation", `set ""`)
	missing(f.DNSSEC, r.TrustAnchorState != "", "recursion.trust_anchor_state", "DNSSEC validation", `set ""`)
	missing(f.DNSSEC, !r.ValidationTime.IsZero(), "recursion.validation_time", "DNSSEC validation", `set ""`)
	missing(f.DNSSEC, len(r.NegativeTrustAnchors) > 0, "recursion.negative_trust_anchors", "DNSSEC validation", "set []")
	if r.Enabled && r.Validation && !f.DNSSEC {
		k.warn("recursion.validation", "DNSSEC validation is not in this build: answers come unvalidated; false says so")
	}
}
