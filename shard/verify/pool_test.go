package verify

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"heimdall/core/resolver"
)

func newPool() *Pool {
	return New(Options{IPv4Bits: 32, IPv6Bits: 56, Wall: func() int64 { return time.Now().Unix() }, Log: slog.New(slog.DiscardHandler)})
}

// Jobs that lose their place go back to their shard, and so do those that end in a panic, as empty ones do.
func TestPoolGivesAllBack(t *testing.T) {
	p := newPool()
	if err := p.Start(1); err != nil {
		t.Fatal(err)
	}
	const jobs = 3 * maxWaiting
	back := make(chan struct{}, jobs)
	accepted := 0
	for n := range jobs {
		j := &resolver.Job{Client: netip.AddrFrom4([4]byte{192, 0, 2, byte(n % 5)})}
		if p.Verify(j, func() { back <- struct{}{} }, func() {}) {
			accepted++
		}
	}
	p.Close()
	if len(back) != accepted {
		t.Errorf("%d of %d jobs came back", len(back), accepted)
	}
}

// A pool without threads takes no job, counts nothing and can be closed; it is started once.
func TestPoolBeforeStart(t *testing.T) {
	p := newPool()
	if p.Verify(new(resolver.Job), func() {}, func() {}) {
		t.Error("a job is taken before Start")
	}
	if p.Memo() != nil || p.Stats() != (Stats{}) {
		t.Errorf("before Start there are %v, %+v", p.Memo(), p.Stats())
	}
	p.Close()
	for range 2 {
		if err := p.Start(1); err != nil {
			t.Fatal(err)
		}
	}
	queue, memo := p.queue, p.memo
	if err := p.Start(1); err != nil || p.queue != queue || p.memo != memo {
		t.Errorf("started anew, %v", err)
	}
	p.Close()
}
