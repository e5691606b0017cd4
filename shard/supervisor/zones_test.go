package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/affinity"
	"heimdall/core/dname"
	"heimdall/shard/zones"
)

// twoNodes is a plan for a machine with two NUMA nodes.
var twoNodes = &affinity.Plan{Shards: []affinity.Placement{{CPU: 0, Node: 0}, {CPU: 1, Node: 1}, {CPU: 2, Node: 0}, {CPU: 3, Node: 1}}}

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

// What a shard is asked it answers from the copy of its node, over UDP and TCP, and after a restart too; a shard that has
// moved to another node answers from the one there.
func TestShardAnswersFromItsNode(t *testing.T) {
	r := newRig(t)
	var mapped [2][][]byte // by node; this machine may have no node 1
	r.zones = zones.New(zones.Options{
		Nodes: shardNodes(twoNodes), Publish: r.publishZones, Log: r.Supervisor.log,
		Map: func(node, size int) ([]byte, error) {
			mem, err := affinity.MapLocal(affinity.AnyNode, size, false)
			mapped[node] = append(mapped[node], mem)
			return mem, err
		},
	})
	w := r.workers()[0]
	w.Map = func(_, size int) ([]byte, error) { return affinity.MapLocal(affinity.AnyNode, size, false) }
	seat := w.Seat()
	seat.Node = 1
	w.Assign(seat)
	path := filepath.Join(t.TempDir(), "zone")
	load := func(version int) {
		t.Helper()
		text := fmt.Sprintf("$TTL 60\n@ SOA ns host %d 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nwww A 10.0.0.%d\n", version, version)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		written := time.Unix(int64(1e9+version), 0) // two versions may be written within one tick of the kernel's clock
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
		if err := r.zones.Configure(t.Context(), zones.Given{Zones: []zones.Zone{{Name: dname.Name("\x07example\x00"), File: path}}}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(network, address string) {
		t.Helper()
		c := r.dial(network)
		if err := c.WriteMsg(new(dns.Msg).SetQuestion("www.example.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		m, err := c.ReadMsg()
		if err != nil || len(m.Answer) != 1 || !m.Authoritative || m.Answer[0].(*dns.A).A.String() != address {
			t.Errorf("over %s: %v, %v, want %s", network, m, err, address)
		}
	}
	load(1)
	load(2)
	clear(mapped[0][1]) // who uses this copy is wrong
	want("udp", "10.0.0.2")
	want("tcp", "10.0.0.2")
	r.die()
	want("udp", "10.0.0.2")
	seat.Node = 0
	w.Assign(seat)
	load(3)
	clear(mapped[1][2])
	want("udp", "10.0.0.3")
}
