package shard

import (
	"fmt"
	"testing"

	"heimdall/core"
)

// What is noted is bounded in time and in number, stands for all queries, and is handed over once; noting does not allocate.
func TestSamples(t *testing.T) {
	s := new(Shard)
	if got := s.Sample(true); len(got) != 0 {
		t.Fatalf("%d queries before any came", len(got))
	}
	reqs := make([]core.Request, 16)
	for i := range reqs {
		reqs[i].Msg, reqs[i].Client = []byte(fmt.Sprintf("query %d", i)), [16]byte{15: byte(i)}
	}
	now := int64(0)
	for range 1000 { // one second
		now += noteEvery * 128 / 1000
		s.samples.note(now, reqs)
	}
	got, weight := s.Sample(true), uint32(0)
	for _, n := range got {
		weight += n.Weight
		if string(n.Msg[:n.Len]) != fmt.Sprintf("query %d", n.Client[15]) {
			t.Errorf("%q of %v", n.Msg[:n.Len], n.Client)
		}
	}
	if len(got) < 100 || len(got) > 129 || weight > 16000 || weight < 15800 {
		t.Errorf("%d noted, for %d queries of 16000", len(got), weight)
	}
	reqs[0].Msg = make([]byte, 60000)
	if n := testing.AllocsPerRun(3*maxSamples, func() { now += noteEvery; s.samples.note(now, reqs) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if got := s.Sample(true); len(got) != maxSamples {
		t.Errorf("%d noted, want %d", len(got), maxSamples)
	}
	if got := s.Sample(false); len(got) != 0 || s.samples != nil {
		t.Errorf("%d noted again", len(got))
	}
}
