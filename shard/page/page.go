// Package page is a page for a look at the daemon with a browser: load, latency and hit ratio over the last hour, the
// shards side by side, servers, zones, warnings. It changes nothing, and is a few files in the program: nothing of it comes
// from elsewhere. What strangers on the network chose leaves as JSON, and the page shows it as text.
package page

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"heimdall/core/control"
	"heimdall/core/histogram"
)

// Source is what the page asks of the daemon. Its methods are those of control.Server.
type Source interface {
	Status(context.Context) (*control.Status, error)
	Upstreams(context.Context) (*control.Upstreams, error)
	Zones(context.Context) (*control.ZoneList, error)
	XDP(context.Context) (*control.XDP, error)
}

// Options say what is shown.
type Options struct {
	Source Source
	// Counts copies the counters that the page makes rates of. It is called from one goroutine.
	Counts func(context.Context) *Counts
	// Samples takes what the shards have noted of queries since it was called last, and has them note more if wanted. It is
	// called from one goroutine.
	Samples func(ctx context.Context, wanted bool) []Sample
	Top     func() bool // whether names and clients are wanted
	Log     *slog.Logger
}

// Counts are counters of one time.
type Counts struct {
	Shards []ShardCounts // that serve
	// Of all shards there ever were.
	Queries, Hits, Misses, ServFails, Drops uint64
	AtOnce, Waited                          histogram.Histogram // ns
	Answered, Dropped                       uint64              // packets, in the kernel
}

// ShardCounts are those of one shard.
type ShardCounts struct {
	ID, CPU       int // CPU -1: any
	State         string
	Queries       uint64
	Hits, Misses  uint64
	Used          uint64               // CPU time, in ns
	AtOnce        *histogram.Histogram // ns
	Waiting       int                  // queries in flight
	WaitingLimit  int
	Cache, Memory int // bytes used, and at most
	Restarts      uint64
}

// Sample is a query of which a shard has noted who asked what.
type Sample struct {
	Client netip.Addr
	Name   string // in presentation form
	Weight int    // queries that it stands for
}

// interval is the time between two samples of the counters: 720 are an hour.
const interval = 5 * time.Second

// Page is what a browser is shown. It is safe for concurrent use.
type Page struct {
	o      Options
	cancel context.CancelFunc
	ended  sync.WaitGroup
	mu     sync.Mutex // of past, shards and top
	past   history
	shards []shardRates
	top    top
	asking sync.Mutex // of slow, and asked, when it was asked for
	slow   slowPart
	asked  time.Time
}

// New returns a page that remembers from now on, until Close.
func New(o Options) *Page {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Page{o: o, cancel: cancel}
	p.past.last = time.Now().UnixMilli() // a browser may know a number of the process before
	p.ended.Go(func() { p.remember(ctx) })
	return p
}

// Close ends the page.
func (p *Page) Close() {
	p.cancel()
	p.ended.Wait()
}

// remember takes samples of the counters.
func (p *Page) remember(ctx context.Context) {
	last, at := p.o.Counts(ctx), time.Now()
	for wait := time.Second; ; wait = min(wait+time.Second, interval) { // who opens the page at once sees something soon
		p.sample(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		now := time.Now()
		if counts := p.o.Counts(ctx); counts != nil {
			p.mu.Lock()
			if last != nil {
				p.past.add(pointOf(last, counts, now, now.Sub(at)))
				p.shards = ratesOf(last, counts, now.Sub(at))
			}
			p.mu.Unlock()
			last, at = counts, now
		}
	}
}

// sample counts who asks for what.
func (p *Page) sample(ctx context.Context) {
	wanted := p.o.Top()
	list := p.o.Samples(ctx, wanted)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !wanted {
		p.top = top{}
		return
	}
	p.top.add(list)
}
