package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/control"
)

// nodeOf returns the NUMA node of a CPU; 0 where the kernel knows of none.
func nodeOf(t *testing.T, cpu int) int {
	t.Helper()
	found, err := filepath.Glob(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/node*", cpu))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return 0
	}
	node, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(found[0]), "node"))
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// placed is the memory that a process wants on one NUMA node.
type placed struct {
	mappings, pages int // pages that are there
	elsewhere       int // pages on other nodes
}

// placement reads what a process wants on which node, and where that is. The kernel may have no nodes.
func placement(t *testing.T, pid int) (by map[int]placed, known bool) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/numa_maps", pid))
	if errors.Is(err, os.ErrNotExist) {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	by = map[int]placed{}
	policy, pages := regexp.MustCompile(`^[0-9a-f]+ prefer[^:]*:(\d+) `), regexp.MustCompile(` N(\d+)=(\d+)`)
	for line := range strings.Lines(string(text)) {
		wanted := policy.FindStringSubmatch(line)
		if wanted == nil {
			continue
		}
		node, _ := strconv.Atoi(wanted[1])
		p := by[node]
		p.mappings++
		for _, m := range pages.FindAllStringSubmatch(line, -1) {
			if n, _ := strconv.Atoi(m[2]); m[1] == wanted[1] {
				p.pages += n
			} else {
				p.elsewhere += n
			}
		}
		by[node] = p
	}
	return by, true
}

// Each shard runs on its CPU's NUMA node, and so does its memory: cache, copy of the zones, and the memory of the AF_XDP
// socket of its queue. Machines with one node have it all there.
func TestRootNodes(t *testing.T) {
	w := newXSKLab(t, 2)
	w.serve(t, "[cpu]\nshards = \"0,1\"\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"\nsteer = \"flow\"")
	for i := range 4 * tierQueries {
		w.query(t, vethIPv4, question(fmt.Sprintf("miss%d.far.example.", i), dns.TypeA))
		w.query(t, vethIPv4, question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
	}
	by, known := placement(t, w.cmd.Process.Pid)
	shards := map[int]int{} // by node
	var all control.Shards
	w.ctlJSON(&all, "shards")
	for cpu, s := range all.Shards {
		node := nodeOf(t, cpu)
		shards[node]++
		if s.CPU != cpu || known && s.Node != node {
			t.Errorf("shard %d runs on CPU %d with memory of node %d, want CPU %d and node %d", s.ID, s.CPU, s.Node, cpu, node)
		}
	}
	if !known {
		return
	}
	t.Logf("shards by node: %v; memory by node: %+v", shards, by)
	for node, n := range shards {
		// The copy of the zones is one for all shards of a node.
		if p := by[node]; p.mappings < 2*n+1 || p.pages == 0 || p.elsewhere > 0 {
			t.Errorf("node %d with %d shards has %+v", node, n, p)
		}
		delete(by, node)
	}
	for node, p := range by {
		t.Errorf("node %d without shards has %+v", node, p)
	}
}
