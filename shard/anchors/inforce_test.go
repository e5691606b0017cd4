package anchors

import (
	"errors"
	"testing"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
)

// Negative trust anchors of commands come and go; configured ones stay.
func TestNegativeAnchors(t *testing.T) {
	trust := configured(dnssec.RootAnchor(), dnssec.Anchor{Zone: dnametest.Name("corp.example."), Negative: true})
	for _, zone := range []string{"a.example.", ".", "a.example.", "corp.example."} {
		if err := trust.add(dnametest.Name(zone)); err != nil {
			t.Errorf("add %s: %v", zone, err)
		}
	}
	if got := trust.negative(); len(got) != 3 {
		t.Errorf("negative anchors %v", got)
	}
	for zone, negative := range map[string]bool{"www.a.example.": true, "corp.example.": true, "elsewhere.": true} {
		if a := trust.set().Closest(dnametest.Name(zone)); a == nil || a.Negative != negative {
			t.Errorf("%s: %+v", zone, a)
		}
	}
	if err := trust.remove(dnametest.Name(".")); err != nil {
		t.Error(err)
	}
	if a := trust.set().Closest(dnametest.Name("elsewhere.")); a == nil || a.Negative || len(a.DS) == 0 {
		t.Errorf("the root's anchor is %+v after the negative one went", a)
	}
	for _, zone := range []string{"corp.example.", "unknown.example."} {
		err := trust.remove(dnametest.Name(zone))
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
