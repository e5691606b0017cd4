package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/cmd/heimdall-lab/lab"
	"heimdall/core/control"
	"heimdall/shard/preflight"
	"heimdall/shard/shardtest"
)

// statusOf returns the status of the daemon of a lab.
func statusOf(t *testing.T, l *lab.Lab) (st control.Status) {
	t.Helper()
	labCtl(t, l, &st, "status")
	return st
}

// doctorSays looks for a verdict on one check.
func doctorSays(t *testing.T, l *lab.Lab, verdict preflight.Verdict, check, text string) {
	t.Helper()
	var findings []preflight.Finding
	labCtl(t, l, &findings, "doctor")
	for _, f := range findings {
		if f.Check == check && f.Verdict == verdict && strings.Contains(f.Found, text) {
			return
		}
	}
	t.Errorf("doctor does not say %v of %s: %+v", verdict, check, findings)
}

// A daemon that starts before the network is up says so, and resolves at once when it is, without a restart: what has failed
// until then is forgotten, cached failures too.
func TestRootNetworkComesLater(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make network namespaces")
	}
	l, err := lab.Start(t.Context(), lab.Zones())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", l.Log())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	link := func(state string) {
		t.Helper()
		words := l.Command("ip", "link", "set", "lab", state)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	link("down")
	if err := l.Heimdalld(context.Background(), shipped(t, "heimdalld"), lab.Resolver, "[cache]\nservfail_ttl = \"300s\""); err != nil {
		t.Fatal(err)
	}
	const alone, again = "no route leads to any of the servers", "what has failed so far is forgotten"
	shardtest.Until(t, "the log to say that there is no network", func() bool { return strings.Contains(l.Log(), alone) })
	if st := statusOf(t, l); !strings.Contains(st.Network, alone) || !strings.Contains(strings.Join(st.Warnings, "\n"), alone) {
		t.Errorf("status: %q, warnings %q", st.Network, st.Warnings)
	}
	doctorSays(t, l, preflight.Fail, "network", "no route leads")
	fails := lab.Question{Name: "www.nsec.alpha.", Type: dns.TypeA}
	for range 3 {
		if got := l.Ask(&fails, false); got.Rcode != dns.RcodeServerFailure {
			t.Fatalf("without a network: %v", got)
		}
	}
	link("up")
	shardtest.Until(t, "the log to say that there is a network", func() bool { return strings.Contains(l.Log(), again) })
	compare(t, l, []lab.Question{{Name: fails.Name, Type: fails.Type, Data: "192.0.2.1", AD: true}}, true)
	if st := statusOf(t, l); st.Network != "" {
		t.Errorf("status: %q", st.Network)
	}
	doctorSays(t, l, preflight.OK, "network", "a route leads")
	for _, line := range []string{alone, again} {
		if n := strings.Count(l.Log(), line); n != 1 {
			t.Errorf("%d lines say %q", n, line)
		}
	}
}

// Where the clock is wrong, that is said: in the log, once, by status and by doctor, and in each answer that fails for it. A zone
// whose own signatures are old does not put the clock under suspicion.
func TestRootClockIsWrong(t *testing.T) {
	const text = "the clock is wrong: it says "
	for _, x := range []struct {
		years int
		ede   uint16
	}{{-10, dns.ExtendedErrorCodeSignatureNotYetValid}, {10, dns.ExtendedErrorCodeSignatureExpired}} {
		at := time.Now().AddDate(x.years, 0, 0).UTC()
		l := startLab(t, fmt.Sprintf("validation_time = %q", at.Format(time.RFC3339)))
		compare(t, l, []lab.Question{
			{Name: "www.nsec.alpha.", Type: dns.TypeA, Bogus: true, Errors: []uint16{x.ede}},
			{Name: "www.nsec3.beta.", Type: dns.TypeA, Bogus: true, Errors: []uint16{x.ede}},
		}, true)
		shardtest.Until(t, "the log to say that the clock is wrong", func() bool { return strings.Contains(l.Log(), text+at.Format("2006-01-02")) })
		st := statusOf(t, l)
		if !strings.Contains(st.Clock, text) || !strings.Contains(strings.Join(st.Warnings, "\n"), "remove recursion.validation_time") {
			t.Errorf("status: %q, warnings %q", st.Clock, st.Warnings)
		}
		doctorSays(t, l, preflight.Fail, "clock", text)
		if n := strings.Count(l.Log(), text); n != 1 {
			t.Errorf("%d lines say so", n)
		}
	}
	l := startLab(t, "")
	compare(t, l, []lab.Question{{Name: "www.expired.alpha.", Type: dns.TypeA, Bogus: true, Errors: []uint16{dns.ExtendedErrorCodeSignatureExpired}}}, true)
	// The root's keys have been asked for.
	shardtest.Until(t, "a question for the root's keys", func() bool { return l.Queries(".") > 2 })
	if st := statusOf(t, l); st.Clock != "" {
		t.Errorf("status: %q", st.Clock)
	}
	doctorSays(t, l, preflight.OK, "clock", "")
}
