package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"heimdall/core/histogram"
	"heimdall/core/wire"
	"heimdall/shard"
	"heimdall/shard/page"
	"heimdall/shard/worker"
)

// pageConns bounds the connections of browsers, which make some six each.
const pageConns = 32

// listenPage opens the address of the page; one that is not valid means none. The new process of an upgrade opens it beside
// the old one.
func listenPage(addr netip.AddrPort, log *slog.Logger) (*httpServer, error) {
	if !addr.IsValid() {
		return nil, nil
	}
	both := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }); e != nil {
			return e
		}
		return err
	}}
	l, err := both.Listen(context.Background(), "tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("open the page's address %v: %w", addr, err)
	}
	return newHTTPServer(l.(*net.TCPListener), pageConns, "the page", log), nil
}

// newPage returns a page that shows what s tells.
func newPage(s *Server) *page.Page {
	return page.New(page.Options{
		Source: s, Counts: s.pageCounts, Samples: s.pageSamples, Top: func() bool { return s.o.Settings().WebTop },
	})
}

// pageCounts copies what the page makes rates of. A shard that does not answer is shown without.
func (s *Server) pageCounts(ctx context.Context) *page.Counts {
	list := s.o.Workers()
	snaps, _ := snapshots(ctx, list)
	out := new(page.Counts)
	for i, w := range list {
		at := w.Seat()
		c := page.ShardCounts{ID: w.ID(), CPU: -1, State: w.State().String(), Restarts: w.History.Restarts(), WaitingLimit: w.Shard.Waiters}
		if w.Shard.Pin {
			c.CPU = at.CPU
		}
		if snap := snaps[i]; snap != nil {
			s.past.note(w.ID(), snap)
			c.Queries, c.Hits, c.Misses = snap.Engine.Queries, snap.Engine.Hits+snap.Engine.StaleHits, snap.Engine.Misses
			c.Used, c.Waiting = snap.CPU, snap.Waiting
			c.Cache, c.Memory = snap.Cache.Store.Bytes, snap.Cache.Store.Capacity
			c.AtOnce = new(histogram.Histogram)
			c.AtOnce.Merge(&snap.Latency[shard.AtOnceUDP])
			c.AtOnce.Merge(&snap.Latency[shard.AtOnceTCP])
		}
		out.Shards = append(out.Shards, c)
	}
	for id, past := range s.o.Histories.Ended(list, snaps) {
		s.past.note(id, past)
	}
	s.past.addTo(out)
	h := s.o.Hot.Snapshot()
	out.Answered, out.Dropped = h.Exits.Answered(), h.Exits.Dropped()
	return out
}

// addTo adds up what all shards have counted.
func (w *whole) addTo(out *page.Counts) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.last {
		out.Queries += s.Engine.Queries
		out.Hits += s.Engine.Hits + s.Engine.StaleHits
		out.Misses += s.Engine.Misses
		out.ServFails += s.Engine.Rcodes[wire.RcodeServFail]
		for _, n := range drops(s) {
			out.Drops += n
		}
		out.AtOnce.Merge(&s.Latency[shard.AtOnceUDP])
		out.AtOnce.Merge(&s.Latency[shard.AtOnceTCP])
		out.Waited.Merge(&s.Latency[shard.WaitedUDP])
		out.Waited.Merge(&s.Latency[shard.WaitedTCP])
	}
}

// pageSamples takes what the shards have noted of queries.
func (s *Server) pageSamples(ctx context.Context, wanted bool) (list []page.Sample) {
	if !wanted && !s.sampling {
		return nil
	}
	s.sampling = wanted
	workers := s.o.Workers()
	noted := make([][]shard.Sampled, len(workers))
	_ = onAll(ctx, workers, func(i int, _ *worker.Worker, sh *shard.Shard) { noted[i] = sh.Sample(wanted) })
	if !wanted {
		return nil
	}
	for _, n := range slices.Concat(noted...) {
		var q wire.Query
		if v := q.Parse(n.Msg[:n.Len]); v == wire.QueryShort || v == wire.QueryResponse || len(q.Name) == 0 {
			continue
		}
		list = append(list, page.Sample{Client: netip.AddrFrom16(n.Client).Unmap(), Name: q.Name.String(), Weight: int(n.Weight)})
	}
	return list
}
