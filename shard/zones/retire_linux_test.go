package zones

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"heimdall/affinity"
)

// versionMemory maps memory for versions, and counts what of it is mapped still.
type versionMemory [][]byte

func (m *versionMemory) mapNode(_, size int) ([]byte, error) {
	mem, err := mapNear(affinity.AnyNode, size, false)
	*m = append(*m, mem)
	return mem, err
}

func (m *versionMemory) mapped() int {
	at := map[*byte]bool{} // a later version may have got the place of an earlier one
	for _, mem := range *m {
		first := unsafe.SliceData(mem)
		if unix.Madvise(unsafe.Slice(first, unix.Getpagesize()), unix.MADV_NORMAL) == nil {
			at[first] = true
		}
	}
	return len(at)
}

// While shards do not take a new set, the old version stays mapped, and one new one beside it; when they take it, the
// old one goes. So do zones that are not configured any more.
func TestFailedSwapsLeaveNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zone")
	writeVersion(t, path, 1)
	given := example(path)
	stuck := errors.New("a shard is stuck")
	var failing error
	var late func() // what the swap that failed will call
	var memory versionMemory
	z := New(Options{
		Nodes: []int{0}, Map: memory.mapNode, Log: slog.New(slog.DiscardHandler),
		Publish: func(_ context.Context, settled func()) error {
			if failing == nil {
				settled()
			}
			late = settled
			return failing
		},
	})
	expect := func(what string, want int) {
		t.Helper()
		if got := memory.mapped(); got != want {
			t.Errorf("%s: %d versions are mapped, want %d", what, got, want)
		}
	}
	if err := z.Configure(t.Context(), given); err != nil {
		t.Fatal(err)
	}
	expect("loaded", 1)
	for i := range 5 {
		failing = stuck
		if _, err := z.Reload(t.Context(), nil); err != []error{stuck, errUnsettled}[min(i, 1)] {
			t.Errorf("Reload: %v", err)
		}
		expect("not taken", 2)
	}
	writeVersion(t, path, 2)
	if err := z.Configure(t.Context(), given); err != errUnsettled {
		t.Errorf("Configure: %v", err)
	}
	expect("not taken again", 2)
	late()
	expect("taken late", 1)
	failing = nil
	if infos, err := z.Reload(t.Context(), nil); err != nil || infos[0].Serial != 2 {
		t.Errorf("%+v, %v", infos, err)
	}
	expect("taken", 1)
	failing = stuck
	if err := z.Configure(t.Context(), Given{}); !errors.Is(err, stuck) {
		t.Errorf("Configure none: %v", err)
	}
	expect("none configured, not taken", 1)
	late()
	expect("none", 0)
}
