package supervisor

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"heimdall/core/config"
	"heimdall/shard/shardtest"
)

// newMetricsRig is a rig that gives metrics.
func newMetricsRig(t *testing.T) *rig {
	t.Helper()
	return newRigWith(t, func(c *config.Config) {
		c.Admin.Metrics, c.Admin.MetricsUpstreams = netip.MustParseAddrPort(shardtest.FreePort(t)), 1
	})
}

// scrape gets the metrics, as text.
func (r *rig) scrape() (status int, text string) {
	r.t.Helper()
	client := http.Client{Timeout: patience}
	resp, err := client.Get("http://" + r.config().Admin.Metrics.String() + "/metrics")
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Error(err)
	}
	return resp.StatusCode, string(body)
}

// A shard that is stuck takes no metrics from the rest, and is told of.
func TestMetricsBesideAShardThatIsStuck(t *testing.T) {
	r := newMetricsRig(t)
	if status, text := r.scrape(); status != http.StatusOK || !strings.Contains(text, "heimdall_shard_up{shard=\"0\"} 1\n") {
		t.Fatalf("before: status %d\n%s", status, text)
	}
	release := make(chan struct{})
	defer close(release)
	if !r.workers()[0].Current().Post(func() { <-release }) {
		t.Fatal("no room")
	}
	status, text := r.scrape()
	if status != http.StatusOK || !strings.Contains(text, "heimdall_shard_up{shard=\"0\"} 0\n") || !strings.Contains(text, "\nheimdall_build_info") {
		t.Errorf("status %d\n%.2000s", status, text)
	}
}

// What several collectors get at once are the counts of servers, not more.
func TestMetricsForSeveralCollectors(t *testing.T) {
	r := newMetricsRig(t)
	var collectors sync.WaitGroup
	end := make(chan struct{})
	for range 3 {
		collectors.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
					r.scrape()
				}
			}
		})
	}
	c := r.dial("udp")
	for i := range 500 {
		r.answered(c, fmt.Sprintf("n%d.example.", i))
	}
	close(end)
	collectors.Wait()
	_, text := r.scrape()
	want := fmt.Sprintf("heimdall_upstream_server_queries_total{server=%q} %d\n", r.up.Addr, r.up.Count(""))
	if !strings.Contains(text, want) {
		t.Errorf("no %s in\n%s", want, text[strings.Index(text, "heimdall_upstream_server_queries_total"):])
	}
}
