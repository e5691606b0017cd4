package main

import (
	"net"
	"testing"

	"heimdall/core/control"
)

// explain knows what the kernel answers by itself, and for whom.
func TestRootHotExplain(t *testing.T) {
	t.Parallel()
	l := newHotLab(t, "native")
	client, _, err := net.SplitHostPort(l.outside[0].LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	outcome := func(args ...string) (control.Outcome, string) {
		var x control.Explanation
		l.ctlJSON(&x, append([]string{"explain"}, args...)...)
		for _, s := range x.Steps {
			if s.Step == "kernel" {
				return x.Outcome, s.Verdict
			}
		}
		return x.Outcome, ""
	}
	// The zone is published before the first query.
	if o, v := outcome("www.hot.test.", "A", "-client", client); o != control.OutcomeKernel || v != "answered" {
		t.Errorf("a hot answer: %s, %s", o, v)
	}
	if o, v := outcome("www.hot.test.", "A", "-client", client, "-tcp"); o != control.OutcomeZone || v != "passed" {
		t.Errorf("over TCP: %s, %s", o, v)
	}
	if o, v := outcome("www.far.example.", "A", "-client", client); o != control.OutcomeUpstream || v != "passed" {
		t.Errorf("what nobody has asked for: %s, %s", o, v)
	}
	l.untilHot(t, "www.far.example.", 1)
	if o, v := outcome("www.far.example.", "A", "-client", client); o != control.OutcomeKernel || v != "answered" {
		t.Errorf("what was asked for often: %s, %s", o, v)
	}
}
