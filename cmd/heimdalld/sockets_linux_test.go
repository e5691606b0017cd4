package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/netio/udp"
	"heimdall/netio/xsk"
	"heimdall/shard"
	"heimdall/shard/preflight"
)

// What TestExternalSockets runs on is a machine with two sockets of one core with two threads: CPUs 0 and 1 on node 0, CPUs 2
// and 3 on node 1, where the card eth0 is. `make test-kernels` has one. All subtests take its CPUs off and on, one by one.
func TestExternalSockets(t *testing.T) {
	for cpu := range 4 {
		if nodeOf(t, cpu) != cpu/2 {
			t.Fatalf("CPU %d is on node %d: this is another machine", cpu, nodeOf(t, cpu))
		}
	}
	t.Run("CPUs at the start", socketsAtStart)
	t.Run("CPUs that come and go", socketsHotplug)
	t.Run("memory near the shards", socketsMemory)
	t.Run("memory near shards that move", socketsMoves)
	t.Run("doctor", socketsDoctor)
}

// runs lists the CPUs of the shards.
func (d *daemon) runs() string {
	d.t.Helper()
	var all control.Shards
	d.ctlJSON(&all, "shards")
	var cpus []string
	for _, s := range all.Shards {
		if s.Node != s.CPU/2 {
			d.t.Errorf("the shard on CPU %d has its memory on node %d", s.CPU, s.Node)
		}
		cpus = append(cpus, strconv.Itoa(s.CPU))
	}
	return strings.Join(cpus, " ")
}

// masks counts the threads of a process by the CPUs that they may run on.
func masks(t *testing.T, pid int) map[string]int {
	t.Helper()
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	by := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		_, list, _ := strings.Cut(string(text), "Cpus_allowed_list:\t")
		list, _, _ = strings.Cut(list, "\n")
		by[list]++
	}
	return by
}

// setFile writes to a file of the kernel, and puts back what was there.
func setFile(t *testing.T, path, value string) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(value), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.WriteFile(path, before, 0) })
}

// online takes a CPU off or on.
func online(t *testing.T, cpu int, on bool) {
	t.Helper()
	setFile(t, fmt.Sprintf("/sys/devices/system/cpu/cpu%d/online", cpu), map[bool]string{true: "1", false: "0"}[on])
}

// group makes a control group of its own, with the files given, and returns a command that runs another in it.
func group(t *testing.T, files map[string]string) []string {
	t.Helper()
	const root = "/sys/fs/cgroup/"
	if err := os.WriteFile(root+"cgroup.subtree_control", []byte("+cpu +cpuset"), 0); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(root, "test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Rmdir(dir) })
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"sh", "-c", "echo $$ >" + dir + "/cgroup.procs; exec \"$@\"", "sh"}
}

func socketsAtStart(t *testing.T) {
	for _, c := range []struct {
		name    string
		offline int // 0: none
		wrapper func(t *testing.T) []string
		cpu     string // table [cpu]
		shards  string // empty: it does not start, and says
		house   string // CPUs of all other threads, or the line of the error
	}{
		{name: "auto", cpu: "shards = \"auto\"", shards: "0 2", house: "1,3"},
		{name: "one by number", cpu: "shards = 1", shards: "0", house: "2-3"},
		{name: "a core of its own for housekeeping", cpu: "shards = \"auto\"\nhousekeeping = \"0-1\"", shards: "2", house: "0-1"},
		{name: "housekeeping on a CPU that is off", offline: 3, cpu: "shards = 1\nhousekeeping = \"1,3\"", house: "config.toml:7: cpu.housekeeping: CPU 3 is offline; it may use 0-2"},
		{name: "all", cpu: "shards = \"0-3\"", shards: "0 1 2 3", house: "0-3"},
		{name: "a core without its first thread", offline: 2, cpu: "shards = \"auto\"", shards: "0 3", house: "1"},
		{name: "a list with a CPU that is off", offline: 2, cpu: "shards = \"0-3,8\"", house: "config.toml:6: cpu.shards: CPU 8 does not exist, CPU 2 is offline; it may use 0-1,3"},
		{name: "taskset", cpu: "shards = \"auto\"", wrapper: func(*testing.T) []string { return []string{"taskset", "e"} }, shards: "1 2", house: "3"},
		{name: "taskset, a list", cpu: "shards = \"0,2\"", wrapper: func(*testing.T) []string { return []string{"taskset", "c"} }, house: "config.toml:6: cpu.shards: CPU 0 is not among those that the process was started with"},
		{name: "CPU set", cpu: "shards = \"auto\"", wrapper: func(t *testing.T) []string { return group(t, map[string]string{"cpuset.cpus": "2-3"}) }, shards: "2", house: "3"},
		{name: "CPU set, a list", cpu: "shards = \"0,2\"", wrapper: func(t *testing.T) []string { return group(t, map[string]string{"cpuset.cpus": "2-3"}) }, house: "config.toml:6: cpu.shards: CPU 0 is not in the CPU set of the control group"},
		{name: "memory of the other node only", cpu: "shards = \"2,3\"", wrapper: func(t *testing.T) []string { return group(t, map[string]string{"cpuset.mems": "0"}) }, shards: "2 3", house: "0-1"},
		{name: "quota", cpu: "shards = \"auto\"", wrapper: func(t *testing.T) []string { return group(t, map[string]string{"cpu.max": "190000 100000"}) }, shards: "0", house: "2-3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.offline > 0 {
				online(t, c.offline, false)
			}
			var wrapper []string
			if c.wrapper != nil {
				wrapper = c.wrapper(t)
			}
			text := "[server]\nrcvbuf = \"64KiB\"\n[cpu]\n" + c.cpu + "\n[cache]\nmemory = \"8MiB\""
			if c.shards == "" {
				d := &daemon{t: t, addr: freePort(t), dir: t.TempDir()}
				d.config, d.socket = filepath.Join(d.dir, "config.toml"), filepath.Join(d.dir, "admin.sock")
				d.write(text)
				d.launch(wrapper...)
				until(t, "the daemon's end", d.ended)
				if !strings.Contains(d.log.String(), c.house) {
					t.Errorf("it says %s, want %q", d.log, c.house)
				}
				return
			}
			d := tryStart(t, freePort(t), text, wrapper...)
			if got := d.runs(); got != c.shards {
				t.Errorf("shards on %s, want %s", got, c.shards)
			}
			by := masks(t, d.cmd.Process.Pid)
			for cpu := range strings.FieldsSeq(c.shards) {
				if c.house != cpu && by[cpu] != 1 {
					t.Errorf("threads by CPUs: %v, want one on %s", by, cpu)
				}
				delete(by, cpu)
			}
			if len(by) != 1 || by[c.house] == 0 {
				t.Errorf("threads beside the shards by CPUs: %v, want them on %s", by, c.house)
			}
			if code := d.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// askAround has a query answered from each of many ports, so that each shard gets some.
func askAround(t *testing.T, d *daemon) {
	t.Helper()
	for range 40 {
		if r := d.exchange(chaos("version.bind."), "udp"); len(r.Answer) != 1 {
			t.Fatalf("%v", r)
		}
	}
}

func socketsHotplug(t *testing.T) {
	d := start(t, "[cpu]\nshards = \"auto\"\n[cache]\nmemory = \"8MiB\"\n[xdp]\nsteer = \"flow\"")
	threads := func(want map[string]int) {
		t.Helper()
		var by map[string]int
		until(t, fmt.Sprintf("threads on %v", want), func() bool {
			by = masks(t, d.cmd.Process.Pid)
			delete(by, "")
			for list, n := range want {
				if n > 0 && by[list] != n || by[list] == 0 {
					return false
				}
			}
			return len(by) == len(want)
		})
	}
	reloadsTo := func(want, when string) {
		t.Helper()
		if out, code := d.ctl("reload"); code != 0 {
			t.Fatalf("reload: exit code %d: %s", code, out)
		}
		if got := d.runs(); got != want {
			t.Errorf("shards on %s after a reload %s, want %s", got, when, want)
		}
	}
	threads(map[string]int{"0": 1, "2": 1, "1,3": 0})

	online(t, 2, false)
	until(t, "a word in the log", func() bool { return strings.Contains(d.log.String(), "CPUs of shards are offline") })
	threads(map[string]int{"0": 1, "1,3": 0})
	askAround(t, d)
	if out, code := d.ctl("doctor"); !strings.Contains(out, "offline: those of the shards on 2") || !strings.Contains(out, "heimdallctl reload") {
		t.Errorf("doctor, exit code %d:\n%s", code, out)
	}

	online(t, 2, true)
	threads(map[string]int{"0": 1, "2": 1, "1,3": 0})
	askAround(t, d)

	online(t, 2, false)
	reloadsTo("0 3", "without CPU 2")
	threads(map[string]int{"0": 1, "3": 1, "1": 0})
	askAround(t, d)

	online(t, 3, false) // the whole core
	reloadsTo("0", "with one core")
	online(t, 2, true)
	online(t, 3, true)
	reloadsTo("0 2", "with all")
	threads(map[string]int{"0": 1, "2": 1, "1,3": 0})
	askAround(t, d)
}

// wanted is how much memory is to be on a node, in bytes, by its use.
type wanted map[string]int

func (w wanted) sum() (n int) {
	for _, bytes := range w {
		n += bytes
	}
	return n
}

// near checks that the mappings that a process wants on each node have just the sizes of what is to be there, and all pages.
func near(t *testing.T, pid int, want map[int]wanted) {
	t.Helper()
	by := map[int]int{}
	for _, m := range mappings(t, pid) {
		if m.node < 0 {
			continue
		}
		by[m.node] += m.size
		for node, pages := range m.pages {
			if node != m.node {
				t.Errorf("%d of %d bytes that are to be on node %d have %d pages on node %d", m.size, by[m.node], m.node, pages, node)
			}
		}
	}
	for node, w := range want {
		if by[node] != w.sum() {
			t.Errorf("%d bytes are to be on node %d, want %d: %v", by[node], node, w.sum(), w)
		}
		delete(by, node)
	}
	if len(by) > 0 {
		t.Errorf("on other nodes: %v", by)
	}
}

const cacheEach = 4 << 20 // bytes, of a shard

// Each shard's cache, copy of the zones, buffers of packets, UMEM and rings lie on its own node, wherever the thread runs that has made them.
func socketsMemory(t *testing.T) {
	for _, c := range []struct {
		shards string // cpu.shards
		cpus   string // that they run on
		nodes  []int  // of the shards
	}{{"auto", "0 2", []int{0, 1}}, {"2-3", "2 3", []int{1, 1}}} {
		t.Run(c.shards, func(t *testing.T) {
			w := newXSKLab(t, 1)
			w.serve(t, fmt.Sprintf("[cpu]\nshards = %q\n[cache]\nmemory = \"%dB\"\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"\nsteer = \"flow\"", c.shards, 2*cacheEach))
			for i := range 20 {
				w.query(t, vethIPv4, question(fmt.Sprintf("miss%d.far.example.", i), dns.TypeA))
				w.query(t, vethIPv4, question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
				w.query(t, vethIPv4, question("big3000.zone.", dns.TypeTXT).SetEdns0(4000, false))
			}
			if got := w.runs(); got != c.cpus {
				t.Fatalf("shards on %s", got)
			}
			var zones control.ZoneList
			w.ctlJSON(&zones, "zones")
			each := slices.Compact(slices.Clone(c.nodes))
			want := map[int]wanted{}
			for _, node := range c.nodes {
				if want[node] == nil {
					want[node] = wanted{}
				}
				want[node]["cache"] += cacheEach
				want[node]["packets"] += packetMemory(2)
			}
			for _, z := range zones.Zones {
				for _, node := range each {
					want[node]["zones"] += pageRound(int(z.MemoryBytes) / len(each))
				}
			}
			umem := map[int]int{}
			for shard, list := range w.queues(t) {
				want[c.nodes[shard]]["UMEM"] += len(list) * xsk.MemorySize
				umem[c.nodes[shard]] += len(list)
			}
			if len(umem) == 0 || len(zones.Zones) == 0 {
				t.Errorf("%d zones, AF_XDP queues by node %v", len(zones.Zones), umem)
			}
			near(t, w.cmd.Process.Pid, want)
			// The rings of an AF_XDP socket are mappings of it. Linux 6.1 does not tell where their pages are.
			rings, all, told := map[int]int{}, 0, 0
			for _, m := range mappings(t, w.cmd.Process.Pid) {
				if strings.HasPrefix(m.file, "socket:") {
					all++
					for node, pages := range m.pages {
						rings[node] += pages
						told += pages
					}
				}
			}
			for node := range 2 {
				if all == 0 || told > 0 && (rings[node] > 0) != (umem[node] > 0) {
					t.Errorf("of %d rings node %d has %d pages, its shards have %d queues", all, node, rings[node], umem[node])
				}
			}
			t.Logf("by node: AF_XDP queues %v, pages of their rings %v, bytes %v", umem, rings, want)
		})
	}
}

// packetMemory is what the buffers of a shard's packets take in bytes, with so many listen addresses.
func packetMemory(listen int) int {
	const batch = 64 // the default of io.batch
	return pageRound(listen*udp.Options{Batch: batch}.MemorySize() + shard.BufferSize(batch))
}

// pageRound is what a mapping of so many bytes takes.
func pageRound(n int) int { return (n + os.Getpagesize() - 1) &^ (os.Getpagesize() - 1) }

func socketsMoves(t *testing.T) {
	zone := "$ORIGIN zone.\n@ 3600 SOA ns admin 1 2 3 4 5\n@ NS ns\nwww A 192.0.2.7\n"
	d := start(t, "[cpu]\nshards = 1") // for its folder
	if err := os.WriteFile(filepath.Join(d.dir, "zone"), []byte(zone), 0o644); err != nil {
		t.Fatal(err)
	}
	text := func(shards string, each int) string {
		return fmt.Sprintf("[cpu]\nshards = %q\n[cache]\nmemory = \"%dB\"\n[[zone]]\nname = \"zone.\"\nfile = \"zone\"\n", shards, each*cacheEach)
	}
	d.stop(syscall.SIGTERM)
	d.write(text("0-1", 2))
	d.launch()
	check := func(when string, nodes map[int]int) {
		t.Helper()
		until(t, "answers "+when, func() bool {
			r, err := exchange(d.addr, question("www.zone.", dns.TypeA), "udp")
			return err == nil && len(r.Answer) == 1
		})
		askAround(t, d)
		var zones control.ZoneList
		d.ctlJSON(&zones, "zones")
		want := map[int]wanted{}
		for node, shards := range nodes {
			want[node] = wanted{"cache": shards * cacheEach, "packets": shards * packetMemory(1)}
			for _, z := range zones.Zones {
				want[node]["zones"] += pageRound(int(z.MemoryBytes) / len(nodes))
			}
		}
		near(t, d.cmd.Process.Pid, want)
	}
	check("at the start", map[int]int{0: 2})
	for _, step := range []struct {
		shards string
		nodes  map[int]int
	}{{"2-3", map[int]int{1: 2}}, {"1,2", map[int]int{0: 1, 1: 1}}, {"0-1", map[int]int{0: 2}}} {
		d.write(text(step.shards, 2))
		if out, code := d.ctl("reload"); code != 0 {
			t.Fatalf("reload with shards on %s: exit code %d: %s", step.shards, code, out)
		}
		check("with shards on "+step.shards, step.nodes)
	}
}

func socketsDoctor(t *testing.T) {
	w := newXSKLab(t, 1)
	w.serve(t, "[cpu]\nshards = \"0,2\"\n[cache]\nmemory = \"8MiB\"\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \"native\"\nsteer = \"flow\"")
	f := diagnose(t, w.server, 0, "-socket", w.socket)[vethServer+" numa"]
	if f.Verdict != preflight.Warn || !strings.HasPrefix(f.Found, "the card is on node 1") || !strings.Contains(f.Found, "the shards on CPUs 0 are not") {
		t.Errorf("a shard on each node: %+v", f)
	}
	t.Logf("%+v", f)
	other := filepath.Join(t.TempDir(), "config.toml")
	for _, c := range []struct {
		shards string
		found  string
		advice string
	}{
		{"0-1", "the shards on CPUs 0-1 are not", `such as "2-3"`},
		{"2-3", "the card is on node 1, as are the shards", ""},
	} {
		text := fmt.Sprintf("[cpu]\nshards = %q\n[xdp]\nmode = \"native\"\ninterfaces = [%q]\n[admin]\nsocket = \"none.sock\"\n", c.shards, vethServer)
		if err := os.WriteFile(other, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, _ := inside(t, w.server, "doctor", "-config", other)
		if !strings.Contains(out, c.found) || !strings.Contains(out, c.advice) {
			t.Errorf("shards on %s: want %q, %q", c.shards, c.found, c.advice)
		}
	}
}
