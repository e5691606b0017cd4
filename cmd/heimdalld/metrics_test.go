package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func get(url string) (string, int, error) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		return "", 0, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return string(body), r.StatusCode, err
}

// The metrics agree with what was asked, and those who do not ask properly hurt nobody.
func TestMetrics(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "nx") {
			w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeNameError))
			return
		}
		answerA(w, q)
	})
	var metrics string
	d := startWith(t, func(port string) string {
		metrics = freePort(t)
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\"]\n[cpu]\nshards = 1\n[recursion]\nvalidation = false\n%s\n[admin]\nmetrics = %q", port, forward(".", up), metrics)
	})
	begin, code, err := get("http://" + metrics + "/metrics")
	if err != nil || code != 200 {
		t.Fatalf("%d, %v: %s", code, err, begin)
	}
	for range 4 {
		stillRight(t, d, "www.example.") // 8 queries, 7 of them hits
	}
	d.ask("nx.example.", dns.TypeA)
	raw(t, d.addr, []byte("short"))
	text, _, err := get("http://" + metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`heimdall_answers_total{shard="0",source="cache"} 7`, `heimdall_answers_total{shard="0",source="upstream"} 2`,
		`heimdall_responses_total{rcode="NXDOMAIN",shard="0"} 1`, `heimdall_drops_total{reason="short",shard="0"} 1`,
		`heimdall_upstream_queries_total{shard="0"} 2`, `heimdall_upstream_ports{shard="0"} 0`, `heimdall_upstream_hindered_total{reason="unreachable",shard="0"} 0`, `heimdall_in_flight{shard="0"} 0`, `heimdall_shard_restarts_total{shard="0"} 0`,
		`heimdall_response_seconds_count{tier="1",transport="udp"}`, `heimdall_response_seconds_count{tier="2",transport="udp"} 2`,
		`heimdall_response_seconds_bucket{tier="2",transport="udp",le="+Inf"} 2`, `heimdall_query_types_total{type="A"} 9`,
		`heimdall_shard_up{shard="0"} 1`, `heimdall_upstream_servers{state="up"} 1`, `heimdall_zones{state="failed"} 0`, "heimdall_cache_capacity_bytes",
		`heimdall_xdp_verdicts_total{verdict="answered"} 0`, `heimdall_drops_total{reason="receive_queue",shard="0"} 0`,
		`heimdall_service_seconds{shard="0",quantile="0.99"}`, "heimdall_queries_total", "heimdall_cache_bytes", "go_goroutines", "process_open_fds",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in:\n%s", want, text)
		}
	}
	if _, code, _ := get("http://" + metrics + "/"); code != 404 {
		t.Errorf("another path: %d", code)
	}
	for range 50 {
		c, err := net.Dial("tcp", metrics)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("GET / nonsense\x00\xff"))
	}
	stillRight(t, d, "www.example.")
	if _, code, err := get("http://" + metrics + "/metrics"); code != 200 {
		t.Errorf("%d, %v", code, err)
	}
}

// Who holds many connections for metrics open takes no descriptors with them, and nobody's answers; once they are gone, there
// are metrics again.
func TestMetricsConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	var metrics string
	d := startWith(t, func(port string) string {
		metrics = freePort(t)
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\"]\n[cpu]\nshards = 1\n[recursion]\nvalidation = false\n%s\n[admin]\nmetrics = %q", port, forward(".", up), metrics)
	})
	descriptors := func() int {
		list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	stillRight(t, d, "www.example.")
	before, most := descriptors(), 0
	var open []net.Conn
	for range 300 {
		c, err := net.Dial("tcp", metrics)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
		most = max(most, descriptors())
	}
	stillRight(t, d, "www.example.")
	if most = max(most, descriptors()); most > before+150 {
		t.Errorf("%d descriptors before, %d with 300 connections", before, most)
	}
	for _, c := range open {
		c.Close()
	}
	until(t, "metrics", func() bool {
		_, code, err := get("http://" + metrics + "/metrics")
		return err == nil && code == 200
	})
}
