package anchors

import (
	"errors"
	"testing"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// Negative trust anchors of commands come and go; configured ones stay.
func TestNegativeAnchors(t *testing.T) {
	name := func(text string) dname.Name { n, _ := dname.ParseText(nil, text); return n }
	trust := configured(dnssec.RootAnchor(), dnssec.Anchor{Zone: name("corp.example."), Negative: true})
	for _, zone := range []string{"a.example.", ".", "a.example.", "corp.example."} {
		if err := trust.add(name(zone)); err != nil {
			t.Errorf("add %s: %v", zone, err)
		}
	}
	if got := trust.negative(); len(got) != 3 {
		t.Errorf("negative anchors %v", got)
	}
	for zone, negative := range map[string]bool{"www.a.example.": true, "corp.example.": true, "elsewhere.": true} {
		if a := trust.set().Closest(name(zone)); a == nil || a.Negative != negative {
			t.Errorf("%s: %+v", zone, a)
		}
	}
	if err := trust.remove(name(".")); err != nil {
		t.Error(err)
	}
	if a := trust.set().Closest(name("elsewhere.")); a == nil || a.Negative || len(a.DS) == 0 {
		t.Errorf("the root's anchor is %+v after the negative one went", a)
	}
	for _, zone := range []string{"corp.example.", "unknown.example."} {
		err := trust.remove(name(zone))
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != control.CodeBadRequest {
			t.Errorf("remove %s: %v", zone, err)
		}
	}
	var err error
	for i := 0; i <= 2*maxRuntimeNTAs && err == nil; i++ { // letters of either case are the same
		err = trust.add(append(dname.Name{2, byte(i >> 8), byte(i)}, 0))
	}
	if err == nil {
		t.Errorf("more than %d negative anchors", maxRuntimeNTAs)
	}
}
