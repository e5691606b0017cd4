package main

import (
	"strings"
	"testing"

	"heimdall/core/control"
)

// Negative trust anchors that commands have added are the new process's too, and the caches with them.
func TestUpgradeKeepsNegativeTrustAnchors(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, answerA)
	d := start(t, validating(true, nobodysHints(t), "", "")+forward(".", up))
	if out, code := d.ctl("nta", "add", "broken.example."); code != 0 {
		t.Fatal(out)
	}
	d.upgrade()
	var list control.NTAList
	d.ctlJSON(&list, "nta", "list")
	if len(list.Anchors) != 1 || list.Anchors[0].Zone != "broken.example." || list.Anchors[0].Source != control.AnchorRuntime {
		t.Errorf("%+v", list)
	}
	if text := d.log.String(); !strings.Contains(text, "the caches are as they were") {
		t.Errorf("the caches are not handed over:\n%s", text)
	}
}
