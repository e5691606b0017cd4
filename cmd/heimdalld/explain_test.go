package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"heimdall/core/control"

	"github.com/miekg/dns"
)

// explain tells what the daemon says of a query that is not asked, step by step.
func (d *daemon) explain(args ...string) (x control.Explanation, steps map[string]control.ExplainStep) {
	d.t.Helper()
	out, _ := d.ctl(append([]string{"-json", "explain"}, args...)...)
	if err := json.Unmarshal([]byte(out), &x); err != nil {
		d.t.Fatalf("explain %v: %v: %s", args, err, out)
	}
	steps = map[string]control.ExplainStep{}
	for _, s := range x.Steps {
		steps[s.Step] = s
	}
	return x, steps
}

// What explain says of a query is what happens to it, with where the keys that decide stand; it asks nobody, counts nothing
// and changes nothing.
func TestExplain(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, answerA)
	zone := writeFile(t, "example.zone", "$TTL 3600\n@ SOA ns1 h 7 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\naway CNAME www.elsewhere.test2.\n")
	d := start(t, fmt.Sprintf("[recursion]\nallow = [\"127.0.0.0/8\"]\n[limit]\ndeny = [\"192.0.2.0/24\"]\n[[zone]]\nname = \"example.\"\nfile = %q\n[[zone]]\nname = \"broken.\"\nfile = %q\n",
		zone, zone+".none")+forward(".", up))
	var before, after control.Status
	d.ctlJSON(&before, "status")

	x, steps := d.explain("ns1.example.", "A")
	if x.Outcome != control.OutcomeZone || x.Rcode != "NOERROR" || x.Zone == nil || x.Zone.Name != "example." || x.Zone.Serial != 7 || len(x.Answer) != 1 || x.Validation != nil {
		t.Errorf("a name of a zone: %+v", x)
	}
	if steps["client"].Verdict != "admitted" || steps["kernel"].Verdict != "passed" {
		t.Errorf("a name of a zone: %+v", x.Steps)
	}
	if x, _ = d.explain("www.broken.", "A"); x.Outcome != control.OutcomeZone || x.Rcode != "SERVFAIL" || x.Zone.Ready || len(x.Todo) != 1 || !strings.Contains(x.Todo[0], "heimdallctl zones") {
		t.Errorf("a zone that could not be loaded: %+v", x)
	}
	if x, _ = d.explain("x.localhost", "AAAA"); x.Outcome != control.OutcomeLocal || len(x.Answer) != 1 {
		t.Errorf("a special name: %+v", x)
	}
	x, steps = d.explain("www.other.net.", "A", "-client", "10.0.0.1")
	if x.Outcome != control.OutcomeError || x.Rcode != "REFUSED" || steps["recursion"].Verdict != "refused" || !strings.HasSuffix(steps["recursion"].Place, d.configLine("allow")) {
		t.Errorf("a stranger: %+v", x)
	}
	x, steps = d.explain("ns1.example.", "A", "-client", "192.0.2.9")
	if x.Outcome != control.OutcomeDropped || !strings.Contains(steps["client"].Why, "192.0.2.0/24 is in limit.deny") || !strings.HasSuffix(steps["client"].Place, d.configLine("deny")) {
		t.Errorf("a denied client: %+v", x)
	}
	x, steps = d.explain("www.other.net.", "A")
	if x.Outcome != control.OutcomeUpstream || x.Upstream == nil || x.Upstream.Kind != "forward" || x.Upstream.Zone != "." || x.Upstream.Servers[0].Address != up.Addr.String() ||
		x.Validation.Verdict != "off" || !strings.HasSuffix(steps["validation"].Place, d.configLine("validation")) {
		t.Errorf("a name that is not cached: %+v", x)
	}
	if x, _ = d.explain("away.example.", "A"); x.Outcome != control.OutcomeUpstream || !x.Zone.Away {
		t.Errorf("an alias that leads elsewhere: %+v", x)
	}
	d.ctlJSON(&after, "status")
	if up.Count("") > 0 || !reflect.DeepEqual(after.Totals, before.Totals) {
		t.Errorf("%d queries were asked; counters %+v and %+v", up.Count(""), before.Totals, after.Totals)
	}

	d.ask("www.other.net.", dns.TypeA)
	x, steps = d.explain("WWW.other.net", "A")
	c := x.Cache
	if x.Outcome != control.OutcomeCache || c == nil || c.TTL == 0 || c.OrigTTL != 3600 || c.Hits != 0 || len(c.Shards) != 1 || x.Name != "www.other.net." || x.Answer[0] != "answer\twww.other.net.\t3600\tIN\tA\t192.0.2.1" && c.TTL == 3600 {
		t.Errorf("a cached name: %+v, %+v", x, c)
	}
	if x, _ = d.explain("www.other.net.", "A"); x.Cache.Hits != 0 {
		t.Errorf("explain counts as a hit: %+v", x.Cache)
	}
	if r := d.ask("www.other.net.", dns.TypeA); len(r.Answer) != len(x.Answer) {
		t.Errorf("it was answered\n%v, not\n%v", r, x.Answer)
	}
	if x, _ = d.explain("www.other.net.", "A", "-do"); x.Outcome != control.OutcomeUpstream {
		t.Errorf("with DO, which is another entry: %+v", x)
	}
	for _, bad := range []string{"a..b A", "www.example. NONSENSE", "www.example. A -client nobody"} {
		if out, code := d.ctl(append([]string{"explain"}, strings.Fields(bad)...)...); code == 0 {
			t.Errorf("explain %s: %s", bad, out)
		}
	}
}

// The rate of a client is told without drawing on it.
func TestExplainRate(t *testing.T) {
	t.Parallel()
	d, _ := limitedDaemon(t, slowLimit+"slip = 0\n")
	for range 30 {
		if x, _ := d.explain("hot.example.", "A", "-client", "127.0.0.2"); x.Outcome == control.OutcomeDropped {
			t.Fatalf("explain draws on the rate: %+v", x)
		}
	}
	spray(t, d, "127.0.0.2", 100)
	x, steps := d.explain("hot.example.", "A", "-client", "127.0.0.2")
	if x.Outcome != control.OutcomeDropped || !strings.HasSuffix(steps["client"].Place, d.configLine("queries_per_second")) || len(x.Todo) != 1 {
		t.Errorf("a client above its rate: %+v", x)
	}
	if x, _ = d.explain("hot.example.", "A", "-client", "127.0.0.2", "-tcp"); x.Outcome == control.OutcomeDropped {
		t.Errorf("over TCP: %+v", x)
	}
}
