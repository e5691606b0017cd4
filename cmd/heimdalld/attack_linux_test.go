package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/cmd/heimdall-lab/lab"
	"heimdall/core/control"
)

// cost is what an attack cost.
type cost struct {
	attacked int           // queries to the servers of the zone in question
	cpu      time.Duration // of the daemon
	status   control.DNSSECStatus
}

// attackWith asks n questions, and one honest question among them, which must not suffer.
func attackWith(t *testing.T, l *lab.Lab, zone string, n int, question func(i int) lab.Question) ([]lab.Outcome, cost) {
	t.Helper()
	questions := make([]lab.Question, n)
	for i := range questions {
		questions[i] = question(i)
	}
	honest := lab.Question{Name: "www.p384.alpha.", Type: dns.TypeA, Data: "192.0.2.1", AD: true}
	questions = append(questions, honest)
	queries, cpu := l.Queries(zone), cpuTime(t, l.PIDs()[0])
	got := l.AskAll(t.Context(), questions, false)
	if !got[n].Meets(honest.Wanted(true)) {
		t.Errorf("an honest question beside the attack: %v", got[n])
	}
	c := cost{attacked: l.Queries(zone) - queries, cpu: cpuTime(t, l.PIDs()[0]) - cpu}
	out, err := exec.Command(shipped(t, "heimdallctl"), "-json", "-socket", l.Socket(), "dnssec", "status").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := json.Unmarshal(out, &c.status); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	t.Logf("%d questions: %d queries to %s, %v of CPU time, %v a question; verdicts %v, bogus %v, %d signatures computed", n, c.attacked, zone, c.cpu, c.cpu/time.Duration(n), c.status.Verdicts, c.status.Bogus, c.status.MemoMisses)
	return got[:n], c
}

// cpuTime returns the time that the threads of a process have run.
func cpuTime(t *testing.T, pid int) (sum time.Duration) {
	t.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, _ := os.ReadFile(path) // A thread may have ended.
		ran, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(ran, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}

// every checks that all outcomes are as wanted.
func every(t *testing.T, got []lab.Outcome, want lab.Outcome) {
	t.Helper()
	for i, o := range got {
		if !o.Meets(want) {
			t.Fatalf("question %d: %v, want %v", i, o, want)
		}
	}
}

// A flood of names that do not exist, all different, in a zone whose NSEC or NSEC3 records are known after the
// first few: the daemon denies the rest by itself (RFC 8198), and the zone's servers hear no more of it.
func TestRootAttackRandomSubdomains(t *testing.T) {
	l := startLab(t, "")
	for _, zone := range []string{"nsec.alpha.", "nsec3.beta."} {
		flood := func(prefix string, n int) cost {
			got, c := attackWith(t, l, zone, n, func(i int) lab.Question {
				return lab.Question{Name: fmt.Sprintf("%s%d.%s", prefix, i, zone), Type: dns.TypeA}
			})
			every(t, got, lab.Outcome{Rcode: dns.RcodeNameError, AD: true})
			return c
		}
		const learning, limit = 500, 20 // The chains of these zones have fewer records than limit.
		flood("x", learning)
		if c := flood("y", 2000); c.attacked > limit {
			t.Errorf("%s: %d queries for 2,000 names, want %d at most", zone, c.attacked, limit)
		}
	}
}

// In a zone where 24 keys have one tag and 200 signatures of an RRset fit none of them, a question costs 16 failed
// operations at most, not 4,800 (KeyTrap, CVE-2023-50387), and is bogus.
func TestRootAttackKeyTrap(t *testing.T) {
	const n = 100
	var names strings.Builder // each with signatures of its own: what is known to be wrong is not computed again
	for i := range n {
		fmt.Fprintf(&names, "x%d A 192.0.2.%d\n", i, i)
	}
	l := startLabWith(t, append(lab.Zones(),
		lab.Spec{Name: "trap.alpha.", Why: "KeyTrap", Algorithm: dns.ED25519, Flaw: lab.KeyTrap, Records: names.String()}), "")
	got, c := attackWith(t, l, "trap.alpha.", n, func(i int) lab.Question {
		return lab.Question{Name: fmt.Sprintf("x%d.trap.alpha.", i), Type: dns.TypeA}
	})
	for i, o := range got {
		if o.Rcode != dns.RcodeServerFailure {
			t.Fatalf("question %d: %v, want SERVFAIL", i, o)
		}
	}
	// All but those whose servers answer too late on a busy machine.
	const least = n * 3 / 4
	if bogus := c.status.Verdicts["bogus"]; bogus < least {
		t.Errorf("%d verdicts are bogus, want %d at least", bogus, least)
	}
	if limit := uint64(16*n + 100); c.status.MemoMisses > limit { // and what is right, on the way there
		t.Errorf("%d signatures were computed, want %d at most", c.status.MemoMisses, limit)
	}
	if limit := 32 * n; c.attacked > limit {
		t.Errorf("%d queries, want %d at most", c.attacked, limit)
	}
}

// NSEC3 records with more iterations than the limit are not computed with: what they deny is insecure
// (CVE-2023-50868; RFC 9276, section 3.2).
func TestRootAttackIterations(t *testing.T) {
	l := startLab(t, "")
	const n = 300
	got, c := attackWith(t, l, "iterations.beta.", n, func(i int) lab.Question {
		return lab.Question{Name: fmt.Sprintf("x%d.a.b.c.d.e.f.g.h.iterations.beta.", i), Type: dns.TypeA}
	})
	every(t, got, lab.Outcome{Rcode: dns.RcodeNameError})
	if insecure := c.status.Verdicts["insecure"]; insecure != n {
		t.Errorf("%d verdicts are insecure, want %d", insecure, n)
	}
	if limit := 3 * n; c.attacked > limit {
		t.Errorf("%d queries, want %d at most", c.attacked, limit)
	}
}

// A chain of aliases without an end, to and fro between two zones, ends after the queries that a task may send.
func TestRootAttackAliases(t *testing.T) {
	const links = 100
	var to, fro strings.Builder
	for i := range links {
		fmt.Fprintf(&to, "c%d CNAME c%d.fro.beta.\n", i, i+1)
		fmt.Fprintf(&fro, "c%d CNAME c%d.to.alpha.\n", i, i+1)
	}
	l := startLabWith(t, append(lab.Zones(),
		lab.Spec{Name: "to.alpha.", Why: "aliases", Algorithm: dns.ECDSAP256SHA256, Records: to.String()},
		lab.Spec{Name: "fro.beta.", Why: "aliases", Records: fro.String()}), "")
	got, c := attackWith(t, l, "to.alpha.", 1, func(int) lab.Question {
		return lab.Question{Name: "c0.to.alpha.", Type: dns.TypeA}
	})
	every(t, got, lab.Outcome{Rcode: dns.RcodeServerFailure})
	const limit = 32 // maxQueries of package resolver, for both zones together
	if c.attacked > limit {
		t.Errorf("%d queries, want %d at most", c.attacked, limit)
	}
	before := l.Queries("to.alpha.")
	l.Ask(&lab.Question{Name: "c0.to.alpha.", Type: dns.TypeA}, false)
	if n := l.Queries("to.alpha.") - before; n != 0 {
		t.Errorf("the failure was not remembered (RFC 9520): %d more queries", n)
	}
}
