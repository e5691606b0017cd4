package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/shard/shardtest"
)

// Load balancers and operators get the same verdict, with each reason, and what is asked for it counts nowhere.
func TestHealth(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	var metrics string
	d := startWith(t, func(port string) string {
		metrics = freePort(t)
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\"]\n[cpu]\nshards = 2\npin = false\n[resolver]\ntimeout = \"500ms\"\n[recursion]\nvalidation = false\n%s\n[health]\ntimeout = \"10s\"\n[admin]\nmetrics = %q", port, forward(".", up), metrics)
	})
	verdict := func() (h control.Health, code int) {
		t.Helper()
		body, code, err := get("http://" + metrics + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(body), &h); err != nil || h.Healthy != (code == 200) || h.Healthy != (len(h.Reasons) == 0) {
			t.Fatalf("%d, %v: %s", code, err, body)
		}
		return h, code
	}
	if h, code := verdict(); code != 200 || len(h.Checks) != 5 {
		t.Errorf("%d: %+v", code, h)
	}
	out, code := d.ctl("health")
	if code != 0 || !strings.Contains(out, "ok    loops: 2 of 2 shards turn\n") || !strings.Contains(out, "ok    local answers: localhost. from each shard\n") || !strings.Contains(out, "ok    recursion: ") {
		t.Errorf("exit code %d: %s", code, out)
	}
	var st control.Status
	if d.ctlJSON(&st, "status"); !st.Health.Healthy || st.Totals.Queries > 1 || st.Totals.Misses != 0 { // start has asked one
		t.Errorf("%+v", st)
	}

	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	reload := func(health string) {
		t.Helper()
		if err := os.WriteFile(d.config, []byte(strings.Replace(string(text), "[health]\n", "[health]\n"+health+"\n", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, code := d.ctl("reload"); code != 0 {
			t.Fatalf("exit code %d: %s", code, out)
		}
	}
	reload(`probe_name = "probe.example."`)
	until(t, "a probe", func() bool { verdict(); return up.Count("probe.example.") > 0 })
	up.Set(func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)) })
	reload(`probe_name = "other.example."`)
	until(t, "a bad verdict", func() bool {
		h, code := verdict()
		return code == 503 && strings.Contains(h.Reasons[0], "recursion: shard ")
	})
	if out, code := d.ctl("health"); code != 1 || !strings.Contains(out, "FAIL  recursion: ") || !strings.Contains(out, "SERVFAIL") {
		t.Errorf("exit code %d: %s", code, out)
	}
	reload(`recursion = false`)
	until(t, "a verdict without recursion", func() bool { h, code := verdict(); return code == 200 && len(h.Checks) == 4 })
	d.stop(9)
	if out, code := d.ctl("health"); code != 3 {
		t.Errorf("exit code %d without a daemon: %s", code, out)
	}
}

// A server whose upstream refuses all is not well, whatever its clients and its own questions have been refused before, and is
// well again when the upstream answers.
func TestHealthRefused(t *testing.T) {
	t.Parallel()
	refuse := func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused)) }
	up := newUpstream(t, refuse)
	d := startWith(t, func(port string) string {
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\"]\n[cpu]\nshards = 1\npin = false\n[resolver]\ntimeout = \"500ms\"\n[recursion]\nvalidation = false\n%s\n[health]\ntimeout = \"10s\"\n[admin]\n", port, forward(".", up))
	})
	for first := up.Count("."); up.Count(".") < first+2; time.Sleep(100 * time.Millisecond) {
		d.ask("www.example.", dns.TypeA)
		if out, code := d.ctl("health"); code != 1 || !strings.Contains(out, "FAIL  recursion: ") {
			t.Fatalf("exit code %d: %s", code, out)
		}
	}
	up.Set(shardtest.AnswerA)
	until(t, "a good verdict", func() bool { _, code := d.ctl("health"); return code == 0 })
}
