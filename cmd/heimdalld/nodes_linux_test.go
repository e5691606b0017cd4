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

// mapping is a part of a process's memory.
type mapping struct {
	size  int         // bytes
	node  int         // that it is to be on; -1: any
	file  string      // that is mapped; "socket:[7]" for the rings of a socket
	pages map[int]int // that are there, by node
}

// mappings reads the memory of a process from numa_maps. The kernel may have no nodes.
func mappings(t *testing.T, pid int) (list []mapping) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/numa_maps", pid))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]string{} // by start
	for line := range strings.Lines(string(ranges)) {
		start, rest, _ := strings.Cut(line, "-")
		ends[start], _, _ = strings.Cut(rest, " ")
	}
	policy, pages, file := regexp.MustCompile(`^prefer[^:]*:(\d+)$`), regexp.MustCompile(` N(\d+)=(\d+)`), regexp.MustCompile(` file=(\S+)`)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		m := mapping{node: -1, pages: map[int]int{}}
		start, _ := strconv.ParseUint(f[0], 16, 64)
		end, err := strconv.ParseUint(ends[f[0]], 16, 64)
		if err != nil {
			end = start // gone between the two files
		}
		m.size = int(end - start)
		if wanted := policy.FindStringSubmatch(f[1]); wanted != nil {
			m.node, _ = strconv.Atoi(wanted[1])
		}
		if name := file.FindStringSubmatch(line); name != nil {
			m.file = name[1]
		}
		for _, p := range pages.FindAllStringSubmatch(line, -1) {
			node, _ := strconv.Atoi(p[1])
			m.pages[node], _ = strconv.Atoi(p[2])
		}
		list = append(list, m)
	}
	return list
}

// placed is the memory that a process wants on one NUMA node.
type placed struct {
	mappings, pages int // pages that are there
	elsewhere       int // pages on other nodes
}

// placement sums up what a process wants on which node, and where that is.
func placement(t *testing.T, pid int) (by map[int]placed, known bool) {
	t.Helper()
	list := mappings(t, pid)
	by = map[int]placed{}
	for _, m := range list {
		if m.node < 0 {
			continue
		}
		p := by[m.node]
		p.mappings++
		for node, n := range m.pages {
			if node == m.node {
				p.pages += n
			} else {
				p.elsewhere += n
			}
		}
		by[m.node] = p
	}
	return by, list != nil
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
		if _, err := os.Stat("/sys/devices/system/node/node1"); err == nil {
			t.Error("the kernel has two nodes, and does not tell where memory lies")
		}
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
