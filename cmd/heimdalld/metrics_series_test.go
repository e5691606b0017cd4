package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// measured is a daemon that serves metrics.
type measured struct {
	*daemon
	metrics string // their address
}

// withMetrics starts a daemon of so many shards. admin stands in the table [admin], rest before it.
func withMetrics(t *testing.T, shards int, admin, rest string) *measured {
	t.Helper()
	m := new(measured)
	m.daemon = startWith(t, func(port string) string {
		m.metrics = freePort(t)
		return m.text("127.0.0.1:"+port, shards, admin, rest)
	})
	return m
}

func (m *measured) text(listen string, shards int, admin, rest string) string {
	return fmt.Sprintf("[server]\nlisten = [%q]\n[cpu]\nshards = %d\npin = false\n[recursion]\nvalidation = false\n%s\n[admin]\nmetrics = %q\n%s",
		listen, shards, rest, m.metrics, admin)
}

// configure writes another configuration, as of withMetrics.
func (m *measured) configure(shards int, admin, rest string) {
	m.t.Helper()
	text := m.text(m.addr, shards, admin, rest) + fmt.Sprintf("\nsocket = %q\n", m.socket)
	if err := os.WriteFile(m.config, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// scrape gets the metrics as a collector does that knows native histograms, by name.
func (m *measured) scrape() map[string]*dto.MetricFamily {
	m.t.Helper()
	req, err := http.NewRequest("GET", "http://"+m.metrics+"/metrics", nil)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	client := http.Client{Timeout: patience}
	r, err := client.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer r.Body.Close()
	out := map[string]*dto.MetricFamily{}
	for d := expfmt.NewDecoder(r.Body, expfmt.ResponseFormat(r.Header)); ; {
		f := new(dto.MetricFamily)
		if err := d.Decode(f); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			m.t.Fatalf("%s: %v", r.Status, err)
		}
		out[f.GetName()] = f
	}
}

// rising are all values of a scrape that may only rise, by name and labels.
func rising(families map[string]*dto.MetricFamily) map[string]float64 {
	out := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			key := name + fmt.Sprint(m.Label)
			switch {
			case m.Counter != nil:
				out[key] = m.Counter.GetValue()
			case m.Histogram != nil:
				out[key] = float64(m.Histogram.GetSampleCount())
			case m.Summary != nil:
				out[key] = float64(m.Summary.GetSampleCount())
			}
		}
	}
	return out
}

// value is that of the only series of a metric with a label's value, or of all its series together.
func value(families map[string]*dto.MetricFamily, name, label string) (sum float64) {
	for _, m := range families[name].GetMetric() {
		if label == "" || slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetValue() == label }) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// A collector that knows native histograms gets them, by tier and transport; types that nobody knows are one series; and
// the servers that are asked have series of their own, as many as the configuration says.
func TestMetricsNative(t *testing.T) {
	t.Parallel()
	up, second := newUpstream(t, nil), newUpstream(t, nil)
	d := withMetrics(t, 1, "metrics_upstreams = 1\n", forward(".", up, second))
	before := rising(d.scrape())
	for _, network := range []string{"udp", "tcp"} {
		for _, name := range []string{"a.example.", "b.example."} {
			for range 3 {
				d.exchange(question(network+name, dns.TypeA), network)
			}
		}
	}
	for i := range 20 {
		d.ask("odd.example.", uint16(60000+i))
	}
	f := d.scrape()
	want := map[string]uint64{"1 udp": 4, "1 tcp": 4, "2 udp": 22, "2 tcp": 2}
	for _, m := range f["heimdall_response_seconds"].GetMetric() {
		h, labels := m.Histogram, m.Label[0].GetValue()+" "+m.Label[1].GetValue()
		count := h.GetSampleCount() - uint64(before["heimdall_response_seconds"+fmt.Sprint(m.Label)])
		if h.Schema == nil || len(h.PositiveSpan) == 0 || len(h.Bucket) == 0 || count != want[labels] || h.GetSampleSum() <= 0 {
			t.Errorf("%s: %d of %d in %v", labels, count, want[labels], h)
		}
		delete(want, labels)
	}
	if len(want) > 0 {
		t.Errorf("no histogram of %v", want)
	}
	if other := value(f, "heimdall_query_types_total", "other"); other != 20 {
		t.Errorf("%v queries of types that nobody knows", other)
	}
	if cpu := value(f, "heimdall_shard_cpu_seconds_total", ""); cpu <= 0 || cpu > 100 {
		t.Errorf("the shard has used %v s of CPU time", cpu)
	}
	if n := len(f["heimdall_upstream_server_queries_total"].GetMetric()); n != 1 {
		t.Errorf("%d servers have series of their own, want 1", n)
	}
	d.configure(1, "metrics_upstreams = 2\n", forward(".", up, second))
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatal(out)
	}
	f = d.scrape()
	if asked := value(f, "heimdall_upstream_server_queries_total", ""); asked != float64(up.Count("")+second.Count("")) {
		t.Errorf("%v queries to servers, who got %d and %d", asked, up.Count(""), second.Count(""))
	}
	if value(f, "heimdall_config_reload_refused", "") != 0 {
		t.Error("a reload that was done counts as refused")
	}
	d.configure(1, "nonsense", "")
	d.ctl("reload")
	if value(d.scrape(), "heimdall_config_reload_refused", "") != 1 {
		t.Error("a reload that was refused is not told")
	}
}

// No counter falls or goes away, whatever a reload changes, the number of shards among it.
func TestRootMetricsNeverFall(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := withMetrics(t, 2, "metrics_upstreams = 8\n", forward(".", up))
	before := rising(d.scrape())
	if len(before) < 100 {
		t.Fatalf("only %d series", len(before))
	}
	for i, shards := range []int{2, 1, 3, 1, 2} {
		for n := range 40 {
			d.ask(fmt.Sprintf("n%d.example.", n%20), dns.TypeA)
			d.exchange(question(fmt.Sprintf("t%d-%d.example.", i, n), dns.TypeTXT), "tcp")
		}
		d.configure(shards, "metrics_upstreams = 8\n", forward(".", up)+fmt.Sprintf("\n[cache]\nprefetch = %d\n", i))
		var r reloaded
		d.ctlJSON(&r, "reload")
		if slices.Contains(r.NeedsRestart, "cpu.shards") && os.Geteuid() != 0 {
			t.Skip("no shards are added or removed without BPF")
		}
		now := rising(d.scrape())
		for key, was := range before {
			if is, ok := now[key]; !ok || is < was {
				t.Errorf("change %d: %s was %v, is %v", i, key, was, is)
			}
		}
		before = now
	}
	if total := value(d.scrape(), "heimdall_queries_total", ""); total < 400 {
		t.Errorf("%v queries of 400", total)
	}
}

// What the dashboard and the alerts name is there, their expressions are right, and the alerts fire when they should.
func TestRules(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("%v (make setup installs it)", err)
	}
	check := func(stdin string, args ...string) {
		t.Helper()
		cmd := exec.Command(promtool, args...)
		cmd.Stdin, cmd.Dir = strings.NewReader(stdin), "dist"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	check("", "check", "rules", "heimdall-rules.yml")
	check("", "test", "rules", "heimdall-rules.test.yml")
	exprs := dashboardExprs(t)
	var b strings.Builder
	b.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for i, e := range exprs {
		quoted, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "  - {record: 'panel%d', expr: %s}\n", i, quoted)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	check("", "check", "rules", file)

	up := newUpstream(t, nil)
	d := withMetrics(t, 1, "metrics_upstreams = 1\n", forward(".", up))
	d.ask("www.example.", dns.TypeA)
	text, _, err := get("http://" + d.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	check(text, "check", "metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("dist/heimdall-rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, e := range append(exprs, string(rules)) {
		for _, name := range regexp.MustCompile(`\b(heimdall|process|go)_[a-z0-9_]+`).FindAllString(e, -1) {
			named[name] = true
		}
	}
	for name := range named {
		if families[name] == nil && families[regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")] == nil && name != "heimdall_xdp_attached" {
			t.Errorf("the dashboard or a rule names %s, which the daemon does not have", name)
		}
	}
	if len(named) < 30 {
		t.Errorf("only %d names were found", len(named))
	}
}

// dashboardExprs returns the expressions of the dashboard, with values for its variables.
func dashboardExprs(t *testing.T) (list []string) {
	t.Helper()
	data, err := os.ReadFile("dist/heimdall-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.W < 1 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %+v", p)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			list = append(list, strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(target.Expr))
		}
	}
	if len(list) < 20 {
		t.Fatalf("only %d expressions", len(list))
	}
	return list
}
