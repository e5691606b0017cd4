package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/cmd/heimdall-lab/lab"
	"heimdall/core/control"
)

// Without validation, the commands about it say so, and the others work.
func TestResolverCommandsForwarding(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, forward(".", up)+"\n[cpu]\nshards = 2\n")
	var trace control.Trace
	d.ctlJSON(&trace, "trace", "www.Example", "a")
	if trace.Name != "www.example." || trace.Rcode != "NOERROR" || trace.Queries != 1 || len(trace.Answer) != 1 || !strings.HasSuffix(trace.Answer[0], "192.0.2.1") {
		t.Errorf("trace: %+v", trace)
	}
	if got := kinds(&trace); !slices.Equal(got, []string{"query", "response", "answer"}) {
		t.Errorf("the steps are %v", got)
	}
	if s := trace.Steps[1]; s.Server != up.Addr.String() || s.RTTUs <= 0 || !strings.HasPrefix(s.Text, "NOERROR") || len(s.Records) != 1 {
		t.Errorf("the response is %+v", s)
	}
	if out, code := d.ctl("cache", "lookup", "www.example.", "A"); code != 1 {
		t.Errorf("what was traced is cached: %s", out)
	}
	// It is asked for again each time.
	d.ctlJSON(&trace, "trace", "www.example.", "A")
	if trace.Queries != 1 {
		t.Errorf("%d queries for the second trace", trace.Queries)
	}

	var infra control.Infra
	d.ctlJSON(&infra, "infra", up.Addr.String())
	if len(infra.Servers) != 1 || infra.Servers[0].State != control.UpstreamUp || infra.Servers[0].Responses != 2 || infra.Servers[0].Shards != 2 {
		t.Errorf("infra: %+v", infra)
	}
	d.ctlJSON(&infra, "infra", up.Addr.Addr().String())
	if len(infra.Servers) != 1 {
		t.Errorf("infra of the address: %+v", infra)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"infra 192.0.2.77", 1, "nothing is known"},
		{"dnssec status", 0, "validation is off"},
		{"nta add example.", 1, "recursion.validation"},
		{"nta list", 1, "nothing is validated"},
		{"trace a..b A", 1, "a..b"},
		{"trace example. NONSENSE", 1, "NONSENSE"},
		{"trace example. AXFR", 1, "cannot be resolved"},
	} {
		if out, code := d.ctl(strings.Fields(c.args)...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, want %d: %s", c.args, code, c.code, out)
		}
	}
}

// A server that refuses shows, and the failure has its exit code.
func TestTraceFailure(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused))
	})))
	out, code := d.ctl("trace", "www.example.", "A")
	for _, want := range []string{"REFUSED", "of no use: refused", "failure", "could not be resolved"} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, want %q in:\n%s", code, want, out)
		}
	}
}

func kinds(r *control.Trace) (list []string) {
	for _, s := range r.Steps {
		list = append(list, s.Kind)
	}
	return list
}

// labCtl runs heimdallctl -json against the lab's daemon.
func labCtl(t *testing.T, l *lab.Lab, v any, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, shipped(t, "heimdallctl"), append([]string{"-socket", l.Socket(), "-json"}, args...)...).Output()
	if err := json.Unmarshal(out, v); err != nil {
		t.Fatalf("heimdallctl %v: %v: %s", args, err, out)
	}
	if err != nil {
		t.Logf("heimdallctl %v: %v", args, err)
	}
}

// A negative trust anchor has its effect at once, and so has its end.
func TestRootLabNTACommands(t *testing.T) {
	l := startLab(t, `negative_trust_anchors = ["future.alpha."]`)
	broken := lab.Question{Name: "www.expired.alpha.", Type: dns.TypeA, Data: "192.0.2.1", Bogus: true, Errors: []uint16{dns.ExtendedErrorCodeSignatureExpired}}
	open := lab.Question{Name: broken.Name, Type: dns.TypeA, Data: broken.Data}
	good := lab.Question{Name: "www.nsec.alpha.", Type: dns.TypeA, Data: "192.0.2.1", AD: true}
	want := control.NTAList{Anchors: []control.NTA{{Zone: "expired.alpha.", Source: control.AnchorRuntime}, {Zone: "future.alpha.", Source: control.AnchorConfig}}}
	for range 2 {
		compare(t, l, []lab.Question{broken, good}, true)
		var list control.NTAList
		labCtl(t, l, &list, "nta", "add", "Expired.alpha")
		if !slices.Equal(list.Anchors, want.Anchors) || list.Flushed == 0 {
			t.Errorf("nta add: %+v, want %+v", list, want)
		}
		compare(t, l, []lab.Question{open, good}, true)
		labCtl(t, l, &list, "nta", "list")
		if !slices.Equal(list.Anchors, want.Anchors) {
			t.Errorf("nta list: %+v, want %+v", list, want)
		}
		labCtl(t, l, &list, "nta", "remove", "expired.alpha.")
		if !slices.Equal(list.Anchors, want.Anchors[1:]) {
			t.Errorf("nta remove: %+v", list)
		}
	}
	compare(t, l, []lab.Question{broken}, true)

	var status control.DNSSECStatus
	labCtl(t, l, &status, "dnssec", "status")
	if !status.Validation || len(status.Anchors) != 1 || status.Anchors[0].Zone != "." || status.Anchors[0].Source != control.AnchorFile || len(status.Anchors[0].Keys) == 0 {
		t.Errorf("the anchors are %+v", status.Anchors)
	}
	if status.Verdicts["secure"] == 0 || status.Verdicts["insecure"] == 0 || status.Verdicts["bogus"] == 0 || len(status.Bogus) == 0 || status.Jobs == 0 || status.MemoMisses == 0 {
		t.Errorf("the counters are %+v", status)
	}
}

// A trace starts at the root whatever is cached, and tells of each referral and of the verdict.
func TestRootLabTrace(t *testing.T) {
	l := startLab(t, "")
	compare(t, l, []lab.Question{{Name: "www.nsec.alpha.", Type: dns.TypeA, Data: "192.0.2.1", AD: true}}, true)
	var trace control.Trace
	labCtl(t, l, &trace, "trace", "www.nsec.alpha.", "A")
	var told []string
	for _, s := range trace.Steps {
		told = append(told, s.Kind+" "+s.Name+" "+s.Text)
	}
	text := strings.Join(told, "\n")
	at := 0
	for _, want := range []string{"query alpha.", "referral www.nsec.alpha. to the servers of alpha.", "to the servers of nsec.alpha.", "response www.nsec.alpha. NOERROR AA", "validation www.nsec.alpha. the response: secure", "answer www.nsec.alpha. NOERROR"} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("%q is not told, or not in its turn:\n%s", want, text)
		}
		at += i
	}
	if !trace.AD || trace.Rcode != "NOERROR" || len(trace.Answer) == 0 {
		t.Errorf("the trace ends with %+v", trace)
	}
	labCtl(t, l, &trace, "trace", "www.expired.alpha.", "A")
	if trace.Rcode != "SERVFAIL" || !strings.Contains(trace.EDE, "expired") {
		t.Errorf("the trace of a bogus name ends with %s, %s", trace.Rcode, trace.EDE)
	}
	labCtl(t, l, &trace, "trace", "-cd", "www.expired.alpha.", "A")
	if trace.Rcode != "NOERROR" || trace.AD {
		t.Errorf("the trace of a bogus name without validation ends with %s", trace.Rcode)
	}
	explainsValidation(t, l)
}

// explainsValidation: explain tells what validation has found of an answer in the cache, and why.
func explainsValidation(t *testing.T, l *lab.Lab) {
	t.Helper()
	compare(t, l, []lab.Question{{Name: "www.expired.alpha.", Type: dns.TypeA, Data: "192.0.2.1", Bogus: true, Errors: []uint16{dns.ExtendedErrorCodeSignatureExpired}}}, true)
	for _, tt := range []struct{ args, outcome, verdict, why string }{
		{"www.nsec.alpha. A", "cache", "secure", "validated from the trust anchor ."},
		{"www.expired.alpha. A", "cache", "bogus", "expired"},
		{"www.nsec.alpha. A -cd", "known", "none", "the client does without (CD)"},
		{"unasked.nsec.alpha. TXT", "upstream", "pending", "it will be validated from the trust anchor .; the keys of nsec.alpha. are known"},
	} {
		var x control.Explanation
		var bits []string
		for _, do := range []string{"", "-do"} { // which of the two was asked for is the comparison's own affair
			labCtl(t, l, &x, strings.Fields("explain "+tt.args+" "+do)...)
			if v := x.Validation; v != nil && string(x.Outcome) == tt.outcome && v.Verdict == tt.verdict && strings.Contains(v.Why, tt.why) {
				bits = nil
				break
			}
			bits = append(bits, fmt.Sprintf("%s %+v", x.Outcome, x.Validation))
		}
		if bits != nil {
			t.Errorf("explain %s: %q", tt.args, bits)
		}
	}
}

// With a state file, the root's keys are asked for and what is found is stored.
func TestRootLabAnchorUpdate(t *testing.T) {
	l := startLab(t, `trust_anchor_state = "root.keys"`)
	var status control.DNSSECStatus
	until(t, "the root's keys", func() bool {
		labCtl(t, l, &status, "dnssec", "status")
		return status.Update != nil && status.Update.Queries > 0 && len(status.Update.Keys) > 0
	})
	if u := status.Update; u.Failures != 0 || u.Unstored != 0 || u.Keys[0].State != "valid" || u.Next < time.Now().Unix() {
		t.Errorf("the update is %+v", u)
	}
	if a := status.Anchors; len(a) != 1 || a[0].Source != control.AnchorUpdated {
		t.Errorf("the anchors are %+v", a)
	}
	until(t, "the state file", func() bool {
		text, err := os.ReadFile(status.Update.File)
		return err == nil && strings.Contains(string(text), "state=valid")
	})
	compare(t, l, []lab.Question{{Name: "www.nsec.alpha.", Type: dns.TypeA, Data: "192.0.2.1", AD: true}}, true)
}
