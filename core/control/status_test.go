package control

import (
	"reflect"
	"testing"

	"heimdall/core/histogram"
)

func TestBatchSizes(t *testing.T) {
	counts := [BatchSlots]uint64{1, 1, 2, 4}
	want := []BatchSize{{0, 0, 1}, {1, 1, 1}, {2, 3, 2}, {4, 7, 4}}
	if got := BatchSizes(&counts); !reflect.DeepEqual(got, want) {
		t.Errorf("BatchSizes() = %v, want %v", got, want)
	}
	if got := BatchSizes(&[BatchSlots]uint64{3: 9}); len(got) != 4 || got[3] != (BatchSize{4, 7, 9}) {
		t.Errorf("BatchSizes with a gap = %v", got)
	}
}

func TestCountersAdd(t *testing.T) {
	a := Counters{Hits: 1, Misses: 1, Drops: map[string]uint64{"short": 1}}
	b := Counters{Hits: 5, Misses: 1, Drops: map[string]uint64{"short": 2, "response": 3}, Rcodes: map[string]uint64{"NXDOMAIN": 4}}
	var sum Counters
	sum.Add(&a)
	sum.Add(&b)
	want := Counters{Hits: 6, Misses: 2, HitRatio: 0.75, Drops: map[string]uint64{"short": 3, "response": 3}, Rcodes: map[string]uint64{"NXDOMAIN": 4}}
	if !reflect.DeepEqual(sum, want) {
		t.Errorf("sum %+v, want %+v", sum, want)
	}
	if a.Drops["short"] != 1 {
		t.Error("Add changed its argument")
	}
}

func TestCacheShardAdd(t *testing.T) {
	total := CacheShard{Shard: -1}
	for range 2 {
		total.Add(&CacheShard{Shard: 3, Entries: 2, Hits: 3, Misses: 1, Evictions: map[string]uint64{"full": 1}})
	}
	want := CacheShard{Shard: -1, Entries: 4, Hits: 6, Misses: 2, HitRatio: 0.75, Evictions: map[string]uint64{"full": 2}}
	if !reflect.DeepEqual(total, want) {
		t.Errorf("total %+v, want %+v", total, want)
	}
}

func TestLatencyOf(t *testing.T) {
	var h histogram.Histogram
	for range 99 {
		h.Record(2000)
	}
	h.Record(5000)
	got := LatencyOf(&h)
	if got.Count != 100 || got.MaxUs != 5 || got.P999Us != 5 || got.P50Us < 2 || got.P50Us > 2.1 {
		t.Errorf("LatencyOf() = %+v", got)
	}
	var again histogram.Histogram
	if !again.Parse(got.Histogram) || again != h {
		t.Error("LatencyOf() does not carry the histogram")
	}
}
