package anchors

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// maxRuntimeNTAs bounds the negative trust anchors that commands add. Each is a name that is broken right now.
const maxRuntimeNTAs = 1024

// inForce are the trust anchors in force: those of the configuration, the root's as RFC 5011 has updated it, and the
// negative ones that commands have added. Safe for concurrent use.
type inForce struct {
	mu      sync.Mutex
	given   []dnssec.Anchor      // by the configuration; nil: nothing is validated
	source  control.AnchorSource // of the positive ones in given
	root    *dnssec.Anchor       // instead of that in given; nil: that
	runtime []dname.Name
}

// configure takes over the anchors of a configuration. With anew, the given anchor of the root counts again
// instead of the updated one.
func (t *inForce) configure(g Given, anew bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.given, t.source = g.Anchors, control.AnchorBuiltIn
	if g.File != "" {
		t.source = control.AnchorFile
	}
	if anew {
		t.root = nil
	}
}

// unlike lists the zones whose anchors would change if list were given, and tells whether a positive one is among them. If
// nothing was validated before, or nothing would be, it lists none.
func (t *inForce) unlike(list []dnssec.Anchor) (changed []dname.Name, positive bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.given == nil || list == nil {
		return nil, false
	}
	gone, p := missing(t.given, list)
	come, q := missing(list, t.given)
	return append(gone, come...), p || q
}

// missing lists the zones of the anchors in a that are not in b, and tells whether there are positive ones among
// them.
func missing(a, b []dnssec.Anchor) (zones []dname.Name, positive bool) {
	in := make(map[string]bool, len(b)) // there may be 65,536 negative ones
	id := func(x *dnssec.Anchor) string {
		text := []byte{0}
		if x.Negative {
			text[0] = 1
		}
		text = dname.AppendLower(text, x.Zone)
		for _, ds := range x.DS {
			text = append(ds.Append(text), 0xFF)
		}
		return string(text)
	}
	for i := range b {
		in[id(&b[i])] = true
	}
	for i := range a {
		if !in[id(&a[i])] {
			zones = append(zones, a[i].Zone)
			positive = positive || !a[i].Negative
		}
	}
	return zones, positive
}

// on tells whether anything is validated.
func (t *inForce) on() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.given != nil
}

// positive returns the anchors where chains of trust begin; t.mu is held.
func (t *inForce) positive() []dnssec.Anchor {
	var list []dnssec.Anchor
	for _, a := range t.given {
		if a.Negative {
			continue
		}
		if a.Zone.IsRoot() && t.root != nil {
			a = *t.root
		}
		list = append(list, a)
	}
	return list
}

// digest is a hash of all that is in force.
func (t *inForce) digest() [32]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.given == nil {
		return [32]byte{}
	}
	var list []string
	for _, a := range t.positive() {
		text := dname.AppendLower([]byte{1}, a.Zone)
		for _, ds := range a.DS {
			text = ds.Append(text)
		}
		list = append(list, string(text))
	}
	for _, a := range t.given {
		if a.Negative {
			list = append(list, string(dname.AppendLower([]byte{0}, a.Zone)))
		}
	}
	for _, zone := range t.runtime {
		list = append(list, string(dname.AppendLower([]byte{0}, zone)))
	}
	slices.Sort(list)
	h := sha256.New()
	for _, text := range slices.Compact(list) {
		binary.Write(h, binary.BigEndian, uint32(len(text)))
		h.Write([]byte(text))
	}
	return [32]byte(h.Sum(nil))
}

// negative returns the others with where they are from, in order of their names.
func (t *inForce) negative() []control.NTA {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []control.NTA{}
	for _, a := range t.given {
		if a.Negative {
			list = append(list, control.NTA{Zone: a.Zone.String(), Source: control.AnchorConfig})
		}
	}
	for _, zone := range t.runtime {
		list = append(list, control.NTA{Zone: zone.String(), Source: control.AnchorRuntime})
	}
	slices.SortFunc(list, func(a, b control.NTA) int { return strings.Compare(a.Zone, b.Zone) })
	return list
}

// set makes the set that one shard reads, nil if nothing is validated. A negative anchor takes the place of a positive
// one of the same zone.
func (t *inForce) set() *dnssec.Anchors {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.given == nil {
		return nil
	}
	set := new(dnssec.Anchors)
	for _, a := range t.positive() {
		if len(a.DS) > 0 { // RFC 5011, section 5: a zone whose keys are all revoked is as good as unsigned.
			set.Set(a)
		}
	}
	for _, a := range t.given {
		if a.Negative {
			set.Set(a)
		}
	}
	for _, zone := range t.runtime {
		set.Set(dnssec.Anchor{Zone: zone, Negative: true})
	}
	return set
}

// rootSeed returns what the operator trusts for the root, nil if nothing.
func (t *inForce) rootSeed() []dnssec.DS {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.given {
		if a.Zone.IsRoot() && !a.Negative {
			return a.DS
		}
	}
	return nil
}

// setRoot puts an anchor for the root in the place of that which is given.
func (t *inForce) setRoot(a dnssec.Anchor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.root = &a
}

// add puts a negative anchor in force, if it is not there already.
func (t *inForce) add(zone dname.Name) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.configured(zone) || t.find(zone) >= 0:
		return nil
	case len(t.runtime) == maxRuntimeNTAs:
		return control.Errorf(control.CodeBadRequest, "there are %d negative trust anchors of commands already", maxRuntimeNTAs)
	}
	t.runtime = append(t.runtime, zone)
	return nil
}

// remove is the opposite of add.
func (t *inForce) remove(zone dname.Name) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.find(zone)
	switch {
	case i >= 0:
		t.runtime = slices.Delete(t.runtime, i, i+1)
		return nil
	case t.configured(zone):
		return &control.Error{
			Code: control.CodeBadRequest, Message: "the negative trust anchor " + zone.String() + " is configured",
			Hint: "remove it from recursion.negative_trust_anchors and reload",
		}
	}
	return control.Errorf(control.CodeBadRequest, "there is no negative trust anchor %s", zone)
}

func (t *inForce) find(zone dname.Name) int {
	return slices.IndexFunc(t.runtime, func(n dname.Name) bool { return dname.Equal(n, zone) })
}

func (t *inForce) configured(zone dname.Name) bool {
	return slices.ContainsFunc(t.given, func(a dnssec.Anchor) bool { return a.Negative && dname.Equal(a.Zone, zone) })
}

// describe lists the positive anchors for operators.
func (t *inForce) describe() []control.TrustAnchor {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []control.TrustAnchor{}
	for _, a := range t.positive() {
		out := control.TrustAnchor{Zone: a.Zone.String(), Source: t.source, Keys: []control.AnchorKey{}}
		if a.Zone.IsRoot() && t.root != nil {
			out.Source = control.AnchorUpdated
		}
		for _, ds := range a.DS {
			out.Keys = append(out.Keys, control.AnchorKey{Tag: ds.KeyTag, Algorithm: ds.Algorithm.String(), Digest: ds.DigestType.String()})
		}
		list = append(list, out)
	}
	return list
}
