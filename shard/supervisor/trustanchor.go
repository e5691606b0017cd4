package supervisor

import (
	"slices"
	"strings"
	"sync"

	"heimdall/core/config"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// maxRuntimeNTAs bounds the negative trust anchors that commands add. Each is a name that is broken right now.
const maxRuntimeNTAs = 1024

// trustAnchors are the trust anchors that are in force: those that the daemon has started with, the root's as
// RFC 5011 has moved it on, and the negative ones that commands have added. Safe for concurrent use; nil if
// nothing is validated.
type trustAnchors struct {
	mu      sync.Mutex
	started []dnssec.Anchor
	source  control.AnchorSource // of the positive ones in started
	root    *dnssec.Anchor       // instead of that in started; nil: that
	runtime []dname.Name
}

func newTrustAnchors(c *config.Config, list []dnssec.Anchor) *trustAnchors {
	if list == nil {
		return nil
	}
	t := &trustAnchors{started: list, source: control.AnchorBuiltIn}
	if c.Recursion.TrustAnchors != "" {
		t.source = control.AnchorFile
	}
	return t
}

// positive returns the anchors where chains of trust begin; t.mu is held.
func (t *trustAnchors) positive() []dnssec.Anchor {
	var list []dnssec.Anchor
	for _, a := range t.started {
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

// negative returns the others with where they are from, in order of their names.
func (t *trustAnchors) negative() []control.NTA {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []control.NTA{}
	for _, a := range t.started {
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

// set makes the set that one shard reads. A negative anchor takes the place of a positive one of the same zone.
func (t *trustAnchors) set() *dnssec.Anchors {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	set := new(dnssec.Anchors)
	for _, a := range t.positive() {
		if len(a.DS) > 0 { // RFC 5011, section 5: a zone whose keys are all revoked is as good as unsigned.
			set.Set(a)
		}
	}
	for _, a := range t.started {
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
func (t *trustAnchors) rootSeed() []dnssec.DS {
	for _, a := range t.started {
		if a.Zone.IsRoot() && !a.Negative {
			return a.DS
		}
	}
	return nil
}

// setRoot puts an anchor for the root in force for the sets to come.
func (t *trustAnchors) setRoot(a dnssec.Anchor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.root = &a
}

// add puts a negative anchor in force for the sets to come; false if it was there already.
func (t *trustAnchors) add(zone dname.Name) (added bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.configured(zone) || t.find(zone) >= 0:
		return false, nil
	case len(t.runtime) == maxRuntimeNTAs:
		return false, control.Errorf(control.CodeBadRequest, "there are %d negative trust anchors of commands already", maxRuntimeNTAs)
	}
	t.runtime = append(t.runtime, zone)
	return true, nil
}

// remove is the opposite of add.
func (t *trustAnchors) remove(zone dname.Name) error {
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
			Hint: "remove it from recursion.negative_trust_anchors and restart the daemon",
		}
	}
	return control.Errorf(control.CodeBadRequest, "there is no negative trust anchor %s", zone)
}

func (t *trustAnchors) find(zone dname.Name) int {
	return slices.IndexFunc(t.runtime, func(n dname.Name) bool { return dname.Equal(n, zone) })
}

func (t *trustAnchors) configured(zone dname.Name) bool {
	return slices.ContainsFunc(t.started, func(a dnssec.Anchor) bool { return a.Negative && dname.Equal(a.Zone, zone) })
}

// describe lists the positive anchors for operators.
func (t *trustAnchors) describe() []control.TrustAnchor {
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
