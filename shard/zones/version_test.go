package zones

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/affinity"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// nodeMemory maps memory for any node on this machine, and tells what was mapped for which.
type nodeMemory struct {
	mapped [2][][]byte // by node
	full   bool        // node 1 has no memory
}

func (m *nodeMemory) mapNode(node, size int) ([]byte, error) {
	if m.full && node == 1 {
		return nil, errors.New("node 1 is full")
	}
	mem, err := mapNear(affinity.AnyNode, size, false)
	m.mapped[node] = append(m.mapped[node], mem)
	return mem, err
}

// writeVersion writes a zone whose serial is also in an address.
func writeVersion(t *testing.T, path string, serial int) {
	t.Helper()
	text := fmt.Sprintf("$TTL 60\n@ SOA ns host %d 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nwww A 10.0.0.%d\n", serial, serial)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// By nothing else are two versions told apart that are written within one tick of the kernel's clock.
	written := time.Unix(int64(1e9+serial), 0)
	if err := os.Chtimes(path, written, written); err != nil {
		t.Fatal(err)
	}
}

// example is the zone example. in a file.
func example(path string) Given {
	return Given{Zones: []Zone{{Name: dname.Name("\x07example\x00"), File: path}}}
}

// address is what the shards of a node answer for www.example.
func address(t *testing.T, z *Store, node int) string {
	t.Helper()
	var q wire.Query
	q.Parse(wire.AppendQuery(nil, 1, 0, dname.Name("\x03www\x07example\x00"), wire.TypeA, wire.ClassIN))
	reply, _, _ := z.Set(node).AppendReply(nil, &q, wire.MaxLen, wire.FlagQR)
	m := new(dns.Msg)
	if err := m.Unpack(reply); err != nil || len(m.Answer) != 1 {
		t.Fatalf("node %d: %v, %v", node, m, err)
	}
	return m.Answer[0].(*dns.A).A.String()
}

// Each node with shards has a copy of its own, in its memory, of each version. Where there is one node, there is one copy.
func TestVersionHasACopyOnEachNode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zone")
	var memory nodeMemory
	publish := func(_ context.Context, settled func()) error { settled(); return nil }
	z := New(Options{Nodes: []int{0, 1}, Map: memory.mapNode, Publish: publish, Log: slog.New(slog.DiscardHandler)})
	if z.Set(0) != nil {
		t.Error("there are zones before Configure")
	}
	for version := 1; version <= 3; version++ {
		writeVersion(t, path, version)
		if err := z.Configure(t.Context(), example(path)); err != nil {
			t.Fatal(err)
		}
		first, second := memory.mapped[0], memory.mapped[1]
		if len(first) != len(second) || len(first) != version {
			t.Fatalf("version %d: %d copies on node 0, %d on node 1", version, len(first), len(second))
		}
		if z.Set(0) == z.Set(1) || z.Set(7) != z.Set(0) {
			t.Error("the nodes share a set, or a third has none")
		}
		clear(first[len(first)-1]) // who uses this copy is wrong
		if got, want := address(t, z, 1), fmt.Sprintf("10.0.0.%d", version); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	infos := z.List()
	if size := uint64(len(memory.mapped[1][0])); len(infos) != 1 || infos[0].MemoryBytes != 2*size || infos[0].Serial != 3 {
		t.Errorf("%+v, a copy has %d bytes", infos, size)
	}
	// A version of which there cannot be all copies is not taken.
	memory.full = true
	writeVersion(t, path, 4)
	infos, err := z.Reload(t.Context(), nil)
	if err != nil || infos[0].State != control.ZoneFailed || infos[0].Serial != 3 || len(z.Failures()) != 1 {
		t.Errorf("%+v, %v", infos, err)
	}
	if got := address(t, z, 1); got != "10.0.0.3" {
		t.Errorf("%s without memory for the next version", got)
	}
	memory = nodeMemory{}
	one := New(Options{Nodes: []int{0}, Map: memory.mapNode, Publish: publish, Log: slog.New(slog.DiscardHandler)})
	if err := one.Configure(t.Context(), example(path)); err != nil || len(memory.mapped[0]) != 1 || len(memory.mapped[1]) != 0 {
		t.Errorf("one node: %v, %d and %d copies", err, len(memory.mapped[0]), len(memory.mapped[1]))
	}
	if got := address(t, one, 0); got != "10.0.0.4" {
		t.Errorf("%s from one node", got)
	}
}

// Large zones ask for huge pages, if the configuration lets them; small ones never do.
func TestZoneHugePages(t *testing.T) {
	for _, c := range []struct {
		allowed bool
		size    int
		want    string
	}{{true, hugeZone, "hg"}, {true, hugeZone - 1, "nh"}, {false, hugeZone, "nh"}} {
		mem, err := New(Options{HugePages: c.allowed}).opt.Map(affinity.AnyNode, c.size)
		if err != nil {
			t.Fatal(err)
		}
		if flags := vmFlags(t, mem); !slices.Contains(flags, c.want) {
			t.Errorf("%d bytes, allowed %v: %v, want %s", c.size, c.allowed, flags, c.want)
		}
		affinity.Unmap(mem)
	}
}

// vmFlags are the flags of the mapping that mem is in.
func vmFlags(t *testing.T, mem []byte) []string {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	var at, start, end uint64
	fmt.Sscanf(fmt.Sprintf("%p", mem), "0x%x", &at)
	for line := range strings.Lines(string(smaps)) {
		var from, to uint64
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 { // the first line of a mapping
			start, end = from, to
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && start <= at && at < end {
			return strings.Fields(flags)
		}
	}
	return nil
}
