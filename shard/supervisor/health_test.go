package supervisor

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/shard"
	"heimdall/shard/shardtest"
)

// looks judges the health of the rig anew.
func (r *rig) looks() *control.Health {
	r.t.Helper()
	h, err := r.health.Look(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

// sick waits for a verdict that is bad for one reason.
func (r *rig) sick(reason string) {
	r.t.Helper()
	until(r.t, "the verdict "+reason, func() bool {
		h := r.looks()
		return !h.Healthy && len(h.Reasons) > 0 && strings.Contains(strings.Join(h.Reasons, "; "), reason)
	})
}

func (r *rig) well() {
	r.t.Helper()
	until(r.t, "a good verdict", func() bool { return r.looks().Healthy })
}

// A shard that hangs in a command and one that is being started again make the verdict bad, and nobody waits for them for
// longer than the timeout, however often it is looked.
func TestHealthOfStuckShard(t *testing.T) {
	r := newRig(t)
	r.well()
	c := *r.config()
	c.Health.Timeout = 100 * time.Millisecond
	r.inForce.Store(&c)
	release, w := make(chan struct{}), r.workers()[0]
	go w.Do(context.Background(), func(*shard.Shard) { <-release })
	for range 3 {
		r.sick("loops: 0 of 1 shards turn; shard 0: its loop does not turn")
	}
	close(release)
	r.well()
	r.die()
	r.well()
}

// Without a name to probe, a shard asks until others have answered it once, and then never while clients' queries are
// answered, or there are none. Once many in a row were not, it finds out whether anybody is there.
func TestHealthOfRecursion(t *testing.T) {
	r := newRig(t)
	c := *r.config()
	c.Health.Timeout = time.Second
	r.inForce.Store(&c)
	r.well()
	if n := r.up.Count("."); n != 1 {
		t.Errorf("the forwarder was asked for the root %d times, want once", n)
	}
	total := r.up.Count("")
	for range 50 {
		r.well()
	}
	if n := r.up.Count(""); n != total {
		t.Errorf("%d queries without a client's", n-total)
	}
	var counts = func() (n uint64) {
		if err := r.workers()[0].Do(t.Context(), func(sh *shard.Shard) {
			s := sh.Engine().Counters()
			n = s.Queries + s.Hits + s.Misses + s.Local + s.Zone + s.Answered + s.Failed + s.Refused
			for _, code := range s.Rcodes {
				n += code
			}
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := counts(); n != 0 {
		t.Errorf("probes are counted %d times as clients' queries", n)
	}
	r.up.Set(func(dns.ResponseWriter, *dns.Msg) {}) // it is silent
	quiet := r.dial("udp")
	until(t, "a bad verdict", func() bool {
		for range 20 {
			quiet.WriteMsg(new(dns.Msg).SetQuestion("gone"+time.Now().Format("150405.000000000")+".example.", dns.TypeA))
		}
		return !r.looks().Healthy
	})
	r.sick("recursion: shard 0: ")
	r.up.Set(shardtest.AnswerA)
	r.well()
}

// BenchmarkHealth is one look at one shard: its zones aside, which it has none of.
func BenchmarkHealth(b *testing.B) {
	r := newRig(b)
	for b.Loop() {
		if h, err := r.health.Look(b.Context()); err != nil || !h.Healthy {
			b.Fatal(h, err)
		}
	}
}
