package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/control"
)

// twoNodes is a plan for a machine with two NUMA nodes.
var twoNodes = &affinity.Plan{Shards: []affinity.Placement{{CPU: 0, Node: 0}, {CPU: 1, Node: 1}, {CPU: 2, Node: 0}, {CPU: 3, Node: 1}}}

// nodeMemory maps memory for any node on this machine, and tells what was mapped for which.
type nodeMemory struct {
	mapped [2][][]byte // by node
	full   bool        // node 1 has no memory
}

func (m *nodeMemory) mapLocal(node, size int) ([]byte, error) {
	if m.full && node == 1 {
		return nil, errors.New("node 1 is full")
	}
	mem, err := mapZone(affinity.AnyNode, size, false)
	m.mapped[node] = append(m.mapped[node], mem)
	return mem, err
}

// zoneVersion writes a zone whose serial is also in an address.
func zoneVersion(t *testing.T, path string, serial int) {
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

func TestShardNodes(t *testing.T) {
	if got := shardNodes(twoNodes); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("%v", got)
	}
	for _, node := range []int{affinity.AnyNode, 0, 3} {
		one := &affinity.Plan{Shards: []affinity.Placement{{Node: node}, {Node: node}}}
		if got := shardNodes(one); !slices.Equal(got, []int{node}) {
			t.Errorf("one node: %v", got)
		}
	}
}

// Each node with shards has a copy of its own, in its memory; what shards ask is answered from theirs, after a
// restart too. Where there is one node, there is one copy.
func TestZoneCopies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zone")
	zoneVersion(t, path, 1)
	list := []zoneConfig{{Zone: config.Zone{Name: []byte("\x07example\x00"), File: path}}}
	r := newRig(t)
	var memory nodeMemory
	r.zones.nodes, r.zones.mapLocal = shardNodes(twoNodes), memory.mapLocal
	// The shard's memory stays where it is: this machine may have no node 1.
	w := r.workers()[0]
	w.Map = func(_, size int) ([]byte, error) { return affinity.MapLocal(affinity.AnyNode, size, false) }
	seat := w.Seat()
	seat.Node = 1
	w.Assign(seat)
	address := func(c *dns.Conn) string {
		t.Helper()
		if err := c.WriteMsg(new(dns.Msg).SetQuestion("www.example.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		m, err := c.ReadMsg()
		if err != nil || len(m.Answer) != 1 || !m.Authoritative {
			t.Fatalf("%v, %v", m, err)
		}
		return m.Answer[0].(*dns.A).A.String()
	}
	for version := 1; version <= 3; version++ {
		zoneVersion(t, path, version)
		if err := r.zones.configure(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		if version == 1 {
			_, err := r.zones.reload(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
		}
		first, second := memory.mapped[0], memory.mapped[1]
		if len(first) != len(second) || len(first) != version+1 {
			t.Fatalf("version %d: %d copies on node 0, %d on node 1", version, len(first), len(second))
		}
		if r.zones.set(0) == r.zones.set(1) || r.zones.set(7) != r.zones.set(0) {
			t.Error("the nodes share a set, or a third has none")
		}
		clear(first[len(first)-1]) // who uses this copy is wrong
		for _, network := range []string{"udp", "tcp"} {
			if got, want := address(r.dial(network)), fmt.Sprintf("10.0.0.%d", version); got != want {
				t.Errorf("%s over %s, want %s", got, network, want)
			}
		}
	}
	r.die()
	if got := address(r.dial("udp")); got != "10.0.0.3" {
		t.Errorf("%s after a restart", got)
	}
	infos := r.zones.list()
	if size := uint64(len(memory.mapped[1][0])); len(infos) != 1 || infos[0].MemoryBytes != 2*size || infos[0].Serial != 3 {
		t.Errorf("%+v, a copy has %d bytes", infos, size)
	}
	// A version of which there cannot be all copies is not taken.
	memory.full = true
	zoneVersion(t, path, 4)
	infos, err := r.zones.reload(t.Context(), nil)
	if err != nil || infos[0].State != control.ZoneFailed || infos[0].Serial != 3 {
		t.Errorf("%+v, %v", infos, err)
	}
	if got := address(r.dial("udp")); got != "10.0.0.3" {
		t.Errorf("%s without memory for the next version", got)
	}
	one := newZoneStore(r.Supervisor.log, []int{0}, false, r.swapZones)
	r.zones = one
	memory = nodeMemory{}
	one.mapLocal = memory.mapLocal
	seat.Node = 0
	w.Assign(seat)
	if err := one.configure(t.Context(), list); err != nil || len(memory.mapped[0]) != 1 || len(memory.mapped[1]) != 0 {
		t.Errorf("one node: %v, %d and %d copies", err, len(memory.mapped[0]), len(memory.mapped[1]))
	}
	if got := address(r.dial("udp")); got != "10.0.0.4" {
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
		mem, err := newZoneStore(nil, []int{0}, c.allowed, nil).mapLocal(affinity.AnyNode, c.size)
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
