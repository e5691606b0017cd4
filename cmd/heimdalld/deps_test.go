package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// policy says what each package may import, standard library and libraries aside. A line names a package,
// or several, and behind "<" what they may import; it may only name packages of the lines above it.
const policy = `
core/dname core/histogram core/slots affinity/cpulist netio netio/list shard/timer shard/mailbox shard/diskfile shard/seed shard/sandbox <;
affinity < affinity/cpulist;
core/wire core/dname/dnametest < core/dname;
core/zonefile < core/dname core/wire;
core/dnssec < core/dname core/wire core/zonefile;
core/cache core/zone core/local < core/dname core/wire;
core/policy <;
core/config core/control < core/dname core/histogram affinity/cpulist;
core/resolver/servers < core/dname core/slots;
core/resolver/known < core/dname core/wire core/cache core/dnssec;
core/resolver/trust < core/dname core/wire core/dnssec core/resolver/known;
core/resolver < core/slots core/dname core/wire core/cache core/dnssec core/resolver/servers core/resolver/known core/resolver/trust;
core < core/slots core/dname core/wire core/cache core/zone core/local core/policy core/resolver core/dnssec;
netio/tcp/framing shard/shardtest shard/tap/ring shard/tap/dnstap <;
netio/udp netio/xsk netio/netiotest < netio;
netio/tcp netio/outbound < netio netio/list netio/tcp/framing;
shard < core core/slots core/cache core/resolver core/histogram netio netio/tcp netio/outbound affinity shard/timer shard/mailbox shard/tap/ring;
shard/tap < core core/dname core/wire shard/diskfile shard/tap/ring shard/tap/dnstap;
shard/worker < affinity netio netio/tcp shard core;
shard/snapshot < affinity core/cache core/control core/dname shard shard/diskfile shard/worker;
shard/notice < core/control core/resolver;
shard/process shard/journal shard/reach <;
shard/verify < affinity core/slots core/policy core/resolver core/dnssec;
shard/health < core core/control core/dname core/resolver core/wire core/zone shard shard/worker;
shard/anycast < core/control;
shard/anchors < core/control core/dname core/wire core/dnssec shard/diskfile;
shard/clock < core/dnssec shard/anchors;
shard/zones < affinity core/control core/dname core/zone core/zonefile shard/diskfile shard/seed;
ebpf <;
shard/preflight < affinity affinity/cpulist core/config ebpf shard/sandbox;
shard/hot < core core/cache core/dname core/wire core/zone netio netio/udp netio/xsk affinity ebpf shard/seed;
shard/page < core/control core/histogram;
shard/admin < core core/cache core/control core/dname core/dnssec core/histogram core/policy core/resolver core/wire ebpf shard shard/anchors shard/diskfile shard/hot shard/journal shard/page shard/snapshot shard/tap shard/verify shard/worker shard/zones;
shard/listen < netio/tcp netio/udp;
shard/handover < core/dname netio netio/tcp;
shard/settings < affinity core core/cache core/config core/control core/dname core/local core/policy core/resolver core/wire core/zonefile ebpf netio/outbound netio/tcp netio/udp shard shard/admin shard/anchors shard/anycast shard/diskfile shard/health shard/hot shard/journal shard/listen shard/sandbox shard/seed shard/snapshot shard/tap shard/tap/ring shard/verify shard/worker shard/zones;
shard/check < affinity core/config shard/admin shard/anchors shard/diskfile shard/listen shard/settings shard/tap shard/zones;
shard/supervisor < affinity affinity/cpulist core core/cache core/config core/control core/dname core/dnssec core/policy core/resolver core/wire ebpf netio/tcp netio/udp shard shard/admin shard/anchors shard/anycast shard/clock shard/reach shard/handover shard/health shard/hot shard/journal shard/listen shard/notice shard/process shard/sandbox shard/settings shard/snapshot shard/tap shard/tap/ring shard/verify shard/worker shard/zones;
cmd/heimdalld < core/config shard/anycast shard/check shard/handover shard/journal shard/sandbox shard/settings shard/supervisor;
cmd/heimdallctl < affinity core/config core/control core/histogram shard/diskfile shard/preflight;
cmd/heimdall-bench < affinity affinity/cpulist;
cmd/heimdall-lab/lab < affinity;
netio/vethtest < cmd/heimdall-lab/lab;
cmd/heimdall-lab/here < core/config core/dname;
cmd/heimdall-lab < affinity cmd/heimdall-lab/here cmd/heimdall-lab/lab;
`

// forbidden lists what the pure core may not import.
var forbidden = []string{"net", "os", "syscall", "unsafe", "golang.org/x/sys/unix"}

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestDependencies(t *testing.T) {
	allowed, err := parsePolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{} // grants, as lines of the policy have them
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, "heimdall/")
		may, known := allowed[name]
		if !known {
			t.Errorf("package %s is not in the policy", name)
		}
		for _, imp := range p.Imports {
			if inner, ok := strings.CutPrefix(imp, "heimdall/"); ok && !slices.Contains(may, inner) {
				t.Errorf("%s imports %s: not allowed", name, inner)
			} else if ok {
				used[name+" "+inner] = true
			}
			if isTest(imp) && !isTest(name) {
				t.Errorf("%s imports %s, which is for tests alone", name, imp)
			}
			if (name == "core" || strings.HasPrefix(name, "core/")) && slices.Contains(forbidden, imp) {
				t.Errorf("%s imports %s: core does no I/O", name, imp)
			}
		}
	}
	if runtime.GOOS != "linux" { // some imports are in files for Linux alone
		return
	}
	for _, grant := range unused(policy, used) {
		t.Errorf("nobody uses %s", grant)
	}
}

// isTest tells whether a package is for tests alone: the last element of its path ends in "test", as in net/http/httptest.
func isTest(path string) bool { return strings.HasSuffix(path, "test") }

// No command has a package for tests in it, "testing" among them, by whatever way.
func TestNothingShippedIsForTests(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "heimdall/cmd/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if !strings.Contains(string(out), "heimdall/shard/supervisor\n") {
		t.Fatalf("the daemon is not made of its parts:\n%s", out)
	}
	for path := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(path, "heimdall/") && isTest(path) || path == "testing" {
			t.Errorf("a command imports %s", path)
		}
	}
}

// unused lists the grants of a policy that no package of their line uses.
func unused(text string, used map[string]bool) (list []string) {
	for line := range strings.SplitSeq(text, ";") {
		names, imports, _ := strings.Cut(line, "<")
		for _, m := range strings.Fields(imports) {
			if !slices.ContainsFunc(strings.Fields(names), func(n string) bool { return used[n+" "+m] }) {
				list = append(list, strings.Join(strings.Fields(names), " ")+" < "+m)
			}
		}
	}
	return list
}

// A grant counts as used if one package of its line uses it.
func TestUnusedGrants(t *testing.T) {
	got := unused("a <; b c < a; d < a b;", map[string]bool{"c a": true, "d a": true, "b d": true})
	if !slices.Equal(got, []string{"d < b"}) {
		t.Errorf("%q", got)
	}
}

// A policy that can be broken without notice is none.
func TestPolicyOrder(t *testing.T) {
	for _, bad := range []string{"a < b; b <;", "a <; a <;", "a b < c;", "a"} {
		if _, err := parsePolicy(bad); err == nil {
			t.Errorf("policy %q accepted", bad)
		}
	}
}

func parsePolicy(text string) (map[string][]string, error) {
	allowed := map[string][]string{}
	for line := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		names, imports, ok := strings.Cut(line, "<")
		if !ok {
			return nil, fmt.Errorf("line %q has no <", line)
		}
		may := strings.Fields(imports)
		for _, m := range may {
			if _, above := allowed[m]; !above {
				return nil, fmt.Errorf("line %q names %s, which is not above it", line, m)
			}
		}
		for _, n := range strings.Fields(names) {
			if _, twice := allowed[n]; twice {
				return nil, fmt.Errorf("package %s stands twice", n)
			}
			allowed[n] = may
		}
	}
	return allowed, nil
}

func list(t *testing.T) (all []pkg) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "heimdall/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
