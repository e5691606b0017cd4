package affinity

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// resident returns the bytes that the process has in memory.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func start(mem []byte) uint64 {
	n, err := strconv.ParseUint(fmt.Sprintf("%p", mem), 0, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func TestMapLocal(t *testing.T) {
	for _, node := range []int{AnyNode, 0} {
		for _, size := range []int{1, 4096, 5000, hugePage - 1, hugePage, 3*hugePage + 5000} {
			for _, huge := range []bool{false, true} {
				mem, err := MapLocal(node, size, huge)
				if err != nil {
					t.Fatal(err)
				}
				if len(mem) != size || cap(mem) != size {
					t.Errorf("size %d: length %d, capacity %d", size, len(mem), cap(mem))
				}
				if huge && size >= hugePage && start(mem)%hugePage != 0 {
					t.Errorf("size %d: starts at %#x", size, start(mem))
				}
				for i := range mem {
					if mem[i] != 0 {
						t.Fatalf("size %d: byte %d is not zero", size, i)
					}
					mem[i] = 1
				}
				if err := Unmap(mem); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestMapLocalIsNotTouched(t *testing.T) {
	const size = 512 << 20
	const slack = 16 << 20 // what the Go runtime may take meanwhile
	for _, huge := range []bool{false, true} {
		before := resident(t)
		mem, err := MapLocal(0, size, huge)
		if err != nil {
			t.Fatal(err)
		}
		if grown := resident(t) - before; grown > slack {
			t.Errorf("huge %v: mapping made %d bytes resident", huge, grown)
		}
		if !huge { // sparse use costs small pages, whatever the system's default
			for i := 0; i < size; i += hugePage {
				mem[i] = 1
			}
			if grown := resident(t) - before; grown > slack {
				t.Errorf("touching %d bytes made %d resident", size/hugePage, grown)
			}
		}
		if err := Unmap(mem); err != nil {
			t.Error(err)
		}
	}
}

// Whatever is mapped is unmapped, or a restarted shard would leak.
func TestUnmapLeavesNothing(t *testing.T) {
	maps := func() (bytes uint64) {
		b, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Fatal(err)
		}
		pages, err := strconv.ParseUint(strings.Fields(string(b))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return pages * uint64(os.Getpagesize())
	}
	before := maps()
	const size = 1<<30 + 5000
	for range 64 {
		mem, err := MapLocal(AnyNode, size, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := Unmap(mem); err != nil {
			t.Fatal(err)
		}
	}
	if after := maps(); after > before+size {
		t.Errorf("address space grew from %d to %d bytes", before, after)
	}
	if err := Unmap(nil); err != nil {
		t.Error(err)
	}
}

func TestMapLocalPrefersNode(t *testing.T) {
	mem, err := MapLocal(0, 1<<20, false)
	if err != nil {
		t.Fatal(err)
	}
	defer Unmap(mem)
	mem[0] = 1
	b, err := os.ReadFile("/proc/self/numa_maps")
	if errors.Is(err, os.ErrNotExist) {
		// The kernel has no NUMA, so there is no policy: the call must say so.
		if err := prefer(mem, maxNodes-1); err != nil {
			t.Errorf("no NUMA in this kernel: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%x prefer", start(mem))
	if !strings.Contains(string(b), want) {
		t.Errorf("no line %q in\n%s", want, b)
	}
}

// Memory of a node that has none, or none for this process, comes from another.
func TestMapLocalOfNodeWithoutMemory(t *testing.T) {
	mem, err := MapLocal(maxNodes-1, 1<<20, false)
	if err != nil {
		t.Fatal(err)
	}
	defer Unmap(mem)
	mem[1<<19] = 1
	if err := Migrate(mem, maxNodes-1); err != nil || mem[1<<19] != 1 {
		t.Errorf("moved there: %v", err)
	}
}

func TestMigrate(t *testing.T) {
	mem, err := MapLocal(AnyNode, 1<<20, false)
	if err != nil {
		t.Fatal(err)
	}
	defer Unmap(mem)
	mem[1<<19] = 7
	for _, node := range []int{0, AnyNode, 0} {
		if err := Migrate(mem, node); err != nil || mem[1<<19] != 7 {
			t.Errorf("node %d: %v, the memory holds %d", node, err, mem[1<<19])
		}
	}
	if err := Migrate(mem, maxNodes); err == nil || !strings.Contains(err.Error(), "node 1024") {
		t.Errorf("node %d: error %v", maxNodes, err)
	}
	if err := Migrate(nil, 0); err != nil {
		t.Error(err)
	}
}

func TestMapLocalErrors(t *testing.T) {
	for _, c := range []struct {
		node, size int
		want       string
	}{
		{0, 0, "size of 0"},
		{0, -1, "size of -1"},
		{-2, 4096, "node -2"},
		{maxNodes, 4096, "node 1024"},
		{AnyNode, 1 << 62, "map"},
	} {
		if _, err := MapLocal(c.node, c.size, true); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("node %d, size %d: error %v, want %q", c.node, c.size, err, c.want)
		}
	}
}
