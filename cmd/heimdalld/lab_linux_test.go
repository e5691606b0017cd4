package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/cmd/heimdall-lab/lab"
)

// startLab makes a lab with the shipped daemon in it. More goes to the end of the table [recursion].
func startLab(t *testing.T, more string) *lab.Lab {
	t.Helper()
	return startLabWith(t, lab.Zones(), more)
}

func startLabWith(t *testing.T, specs []lab.Spec, more string) *lab.Lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make network namespaces")
	}
	l, err := lab.Start(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		log := l.Log()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", log)
		}
	})
	// The test's own context ends before what it cleans up.
	if err := l.Heimdalld(context.Background(), shipped(t, "heimdalld"), lab.Resolver, more); err != nil {
		t.Fatal(err)
	}
	return l
}

// compare asks for all names and compares what comes.
func compare(t *testing.T, l *lab.Lab, questions []lab.Question, validating bool) {
	t.Helper()
	for i, got := range l.AskAll(t.Context(), questions, false) {
		if q := &questions[i]; !got.Meets(q.Wanted(validating)) {
			t.Errorf("%s %s: %v, want %v (%s)", q.Name, dns.TypeToString[q.Type], got, q.Wanted(validating), q.Why)
		}
	}
}

func TestRootLabValidating(t *testing.T) {
	l := startLab(t, "")
	questions := lab.Questions()
	compare(t, l, questions, true)

	// With CD set it is the client that validates: it gets everything that there is.
	for i, got := range l.AskAll(t.Context(), questions, true) {
		q := &questions[i]
		if want := q.Wanted(false); got.Rcode != want.Rcode || got.Data != want.Data {
			t.Errorf("%s %s with CD: %v, want %v (%s)", q.Name, dns.TypeToString[q.Type], got, want, q.Why)
		}
	}
}

// What was learned with CD set must not come to those who want validation.
func TestRootLabCheckingDisabledFirst(t *testing.T) {
	l := startLab(t, "")
	questions := slices.DeleteFunc(lab.Questions(), func(q lab.Question) bool { return !q.Bogus && !q.AD })
	l.AskAll(t.Context(), questions, true)
	compare(t, l, questions, true)
}

func TestRootLabUnvalidated(t *testing.T) {
	compare(t, startLab(t, "validation = false"), lab.Questions(), false)
}

// What is asked for again comes out of the cache, with the same marks.
func TestRootLabCached(t *testing.T) {
	l := startLab(t, "")
	questions := slices.DeleteFunc(lab.Questions(), func(q lab.Question) bool {
		return q.Wanted(true).Rcode == dns.RcodeServerFailure
	})
	compare(t, l, questions, true)
	var before = map[string]int{}
	for _, z := range lab.Zones() {
		before[z.Name] = l.Queries(z.Name)
	}
	compare(t, l, questions, true)
	for _, z := range lab.Zones() {
		if n := l.Queries(z.Name) - before[z.Name]; n != 0 {
			t.Errorf("%s: %d more queries (%s)", z.Name, n, z.Why)
		}
	}
}

func TestRootLabNegativeTrustAnchor(t *testing.T) {
	l := startLab(t, `negative_trust_anchors = ["expired.alpha."]`)
	compare(t, l, []lab.Question{
		{Name: "www.expired.alpha.", Type: dns.TypeA, Data: "192.0.2.1"},
		{Name: "tobogus.nsec.alpha.", Type: dns.TypeA, Data: "192.0.2.1"},
		{Name: "www.future.alpha.", Type: dns.TypeA, Bogus: true, Errors: []uint16{dns.ExtendedErrorCodeSignatureNotYetValid}},
		{Name: "www.nsec.alpha.", Type: dns.TypeA, Data: "192.0.2.1", AD: true},
	}, true)
}

func TestRootLabValidationTime(t *testing.T) {
	for _, x := range []struct {
		days int
		ede  uint16
	}{{-365, dns.ExtendedErrorCodeSignatureNotYetValid}, {365, dns.ExtendedErrorCodeSignatureExpired}} {
		at := time.Now().AddDate(0, 0, x.days).UTC().Format(time.RFC3339)
		l := startLab(t, fmt.Sprintf("validation_time = %q", at))
		compare(t, l, []lab.Question{{Name: "www.nsec.alpha.", Type: dns.TypeA, Bogus: true, Errors: []uint16{x.ede}}}, true)
	}
}

// A question costs the servers of others no more than is documented, whatever the one who answers it does
// (NXNSAttack, and delegations in circles).
func TestRootLabAmplification(t *testing.T) {
	l := startLab(t, "")
	for _, x := range []struct {
		name, zone string
		limit      int
	}{
		{"www.nxns.alpha.", "victim.beta.", 24}, // 12 sub-tasks for a delegation; each may ask twice
		{"www.loopa.alpha.", "beta.", 12},
		{"www.allsideways.alpha.", "allsideways.alpha.", 32}, // the queries of a task
		{"www.alldead.alpha.", "alldead.alpha.", 32},
		{"loop.nsec.alpha.", "nsec.alpha.", 32},
	} {
		before := l.Queries(x.zone)
		if got := l.Ask(&lab.Question{Name: x.name, Type: dns.TypeA}, false); got.Rcode != dns.RcodeServerFailure {
			t.Errorf("%s: %v, want SERVFAIL", x.name, got)
		}
		if n := l.Queries(x.zone) - before; n > x.limit {
			t.Errorf("%s: %d queries to %s, want %d at most", x.name, n, x.zone, x.limit)
		} else {
			t.Logf("%s: %d queries to %s", x.name, n, x.zone)
		}
	}
}

func TestRootLabRemovesAll(t *testing.T) {
	l := startLab(t, "")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := l.Exchange(question("www.nsec.alpha.", dns.TypeA), "udp"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the namespace is still there: %v", err)
	}
}
