package main

import (
	"context"
	"fmt"
	"io"

	"heimdall/core/control"
)

func (t *tool) shards(ctx context.Context) error {
	_, err := ask(ctx, t, control.CommandShards, nil, showShards)
	return err
}

func showShards(w io.Writer, s *control.Shards) {
	tab := table{right: true}
	tab.row("SHARD", "CPU", "NODE", "STATE", "RESTARTS", "QUERIES", "REPLIES", "HITS", "IN FLIGHT", "KERNEL DROPS", "CACHE", "OF", "P50", "P90", "P99", "P99.9")
	for i := range s.Shards {
		h := &s.Shards[i]
		l := &h.ServiceTime
		tab.row(h.ID, orDash(h.CPU), orDash(h.Node), h.State, h.Restarts, count(h.Queries), count(h.Replies), percent(h.HitRatio),
			fmt.Sprintf("%d/%d", h.InFlight, h.InFlightLimit), count(h.KernelDrops), bytesText(h.MemoryBytes), bytesText(h.MemoryLimit),
			us(l.P50Us), us(l.P90Us), us(l.P99Us), us(l.P999Us))
	}
	tab.write(w)
	showQueues(w, s.Shards)
	showBatches(w, s.Shards)

	fmt.Fprintln(w, "\ndrops")
	for i := range s.Shards {
		fmt.Fprintf(w, "  shard %d: %s\n", s.Shards[i].ID, countsText(drops(&s.Shards[i].Counters)))
	}
	title := "\nqueries above the rate that got TC\n"
	for i := range s.Shards {
		if n := s.Shards[i].Slipped; n > 0 {
			fmt.Fprintf(w, "%s  shard %d: %s\n", title, s.Shards[i].ID, count(n))
			title = ""
		}
	}
	title = "\nmisses that were not resolved because of a limit\n"
	for i := range s.Shards {
		if limited := s.Shards[i].Limited; len(limited) > 0 {
			fmt.Fprintf(w, "%s  shard %d: %s\n", title, s.Shards[i].ID, countsText(limited))
			title = ""
		}
	}
	title = "\nrecords for the query log and dnstap that were lost, by what had no room\n"
	for i := range s.Shards {
		if lost := s.Shards[i].Unrecorded; len(lost) > 0 {
			fmt.Fprintf(w, "%s  shard %d: %s\n", title, s.Shards[i].ID, countsText(lost))
			title = ""
		}
	}
	fmt.Fprintln(w, "\nreplies by RCODE")
	for i := range s.Shards {
		fmt.Fprintf(w, "  shard %d: %s\n", s.Shards[i].ID, countsText(s.Shards[i].Rcodes))
	}
}

// showQueues writes the receive queues that come to the shards by AF_XDP.
func showQueues(w io.Writer, shards []control.Shard) {
	tab := table{right: true}
	tab.row("SHARD", "INTERFACE", "QUEUE", "AF_XDP", "QUERIES", "REPLIES", "DROPS")
	found := false
	for i := range shards {
		for _, q := range shards[i].Queues {
			mode := "copy"
			if q.ZeroCopy {
				mode = "zero-copy"
			}
			tab.row(shards[i].ID, q.Interface, q.Queue, mode, count(q.Received), count(q.Sent), count(q.Drops))
			found = true
		}
	}
	if found {
		fmt.Fprintln(w)
		tab.write(w)
	}
}

// showBatches writes how many datagrams came at once, in percent of the receive
// calls that returned any.
func showBatches(w io.Writer, shards []control.Shard) {
	var widest []control.BatchSize
	for i := range shards {
		if b := shards[i].BatchSizes; len(b) > len(widest) {
			widest = b
		}
	}
	if len(widest) < 2 {
		return
	}
	fmt.Fprintln(w, "\nbatch sizes, in percent of the receive calls that returned any")
	tab := table{right: true}
	head := []any{"SHARD", "BATCHES"}
	for _, b := range widest[1:] {
		if b.Min == b.Max {
			head = append(head, b.Min)
		} else {
			head = append(head, fmt.Sprintf("%d-%d", b.Min, b.Max))
		}
	}
	tab.row(head...)
	for i := range shards {
		var total uint64
		sizes := shards[i].BatchSizes
		for _, b := range sizes {
			if b.Max > 0 {
				total += b.Count
			}
		}
		row := []any{shards[i].ID, count(total)}
		for _, b := range sizes {
			if b.Max > 0 {
				row = append(row, percent(float64(b.Count)/float64(max(total, 1))))
			}
		}
		for len(row) < len(head) {
			row = append(row, "-")
		}
		tab.row(row...)
	}
	tab.write(w)
}

// orDash hides a number that is not known.
func orDash(n int) string {
	if n < 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
