package zones

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The copies follow the shards to other nodes; those of nodes without shards are given back once no shard uses them.
func TestMove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zone")
	writeVersion(t, path, 1)
	var memory nodeMemory
	published, late := 0, false
	var settle func()
	publish := func(_ context.Context, settled func()) error {
		published++
		if settle = settled; !late {
			settled()
		}
		return nil
	}
	z := New(Options{Nodes: []int{0}, Map: memory.mapNode, Publish: publish, Log: slog.New(slog.DiscardHandler)})
	if err := z.Configure(t.Context(), example(path)); err != nil {
		t.Fatal(err)
	}
	copies := func(want0, want1 int) {
		t.Helper()
		if n0, n1 := len(memory.mapped[0]), len(memory.mapped[1]); n0 != want0 || n1 != want1 {
			t.Errorf("%d copies were made for node 0, %d for node 1, want %d and %d", n0, n1, want0, want1)
		}
	}
	for _, step := range []struct {
		nodes      []int
		made0      int
		made1      int
		publishing bool
	}{
		{[]int{0}, 1, 0, false},
		{[]int{0, 1}, 1, 1, true},
		{[]int{0, 1}, 1, 1, false},
		{[]int{1}, 1, 1, true},
		{[]int{0}, 2, 1, true},
	} {
		before := published
		if err := z.Move(t.Context(), step.nodes); err != nil {
			t.Fatal(err)
		}
		copies(step.made0, step.made1)
		if (published > before) != step.publishing {
			t.Errorf("nodes %v: published %d times", step.nodes, published-before)
		}
		for _, node := range step.nodes {
			if got := address(t, z, node); got != "10.0.0.1" {
				t.Errorf("nodes %v: %s on node %d", step.nodes, got, node)
			}
		}
		if len(step.nodes) == 2 && z.Set(0) == z.Set(1) {
			t.Error("the nodes share a set")
		}
		if size := uint64(len(step.nodes) * len(memory.mapped[0][0])); z.List()[0].MemoryBytes != size {
			t.Errorf("nodes %v: %d bytes, want %d", step.nodes, z.List()[0].MemoryBytes, size)
		}
	}
	// Later versions are for the new nodes.
	writeVersion(t, path, 2)
	if _, err := z.Reload(t.Context(), nil); err != nil || address(t, z, 0) != "10.0.0.2" {
		t.Error(err)
	}
	copies(3, 1)

	memory.full = true
	if err := z.Move(t.Context(), []int{0, 1}); err == nil || !strings.Contains(err.Error(), "example") {
		t.Errorf("without memory: %v", err)
	}
	if got := address(t, z, 1); got != "10.0.0.2" || !slices.Equal(z.opt.Nodes, []int{0}) {
		t.Errorf("without memory: %s, nodes %v", got, z.opt.Nodes)
	}
	memory.full, late = false, true
	if err := z.Move(t.Context(), []int{1}); err != nil {
		t.Fatal(err)
	}
	if err := z.Move(t.Context(), []int{0}); err != errUnsettled {
		t.Errorf("while a shard is late: %v", err)
	}
	settle()
	if err := z.Move(t.Context(), []int{0}); err != nil {
		t.Error(err)
	}
	settle()
}
