package affinity

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestCgroups(t *testing.T) {
	type files map[string]string
	for _, c := range []struct {
		name  string
		files files
		cpus  []int // nil: not limited
		quota float64
	}{
		{"none", files{}, nil, 0},
		{"version 2, own set", files{
			"proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/b.service/cpuset.cpus.effective": "2-3\n",
			"sys/fs/cgroup/a.slice/cpuset.cpus.effective":           "0-7\n",
			"sys/fs/cgroup/a.slice/b.service/cpu.max":               "max 100000\n",
		}, []int{2, 3}, 0},
		{"version 2, set and quota of the parent", files{
			"proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/cpuset.cpus.effective": "0-1\n",
			"sys/fs/cgroup/a.slice/cpu.max":               "150000 100000\n",
			"sys/fs/cgroup/a.slice/b.service/cpu.max":     "400000 100000\n",
		}, []int{0, 1}, 1.5},
		{"version 2, root of a namespace", files{
			"proc/self/cgroup":                    "0::/../outside\n",
			"sys/fs/cgroup/cpuset.cpus.effective": "5\n",
		}, []int{5}, 0},
		{"version 1", files{
			"proc/self/cgroup":                                "5:cpuset:/box\n4:cpu,cpuacct:/box\n0::/\n",
			"sys/fs/cgroup/cpuset/box/cpuset.cpus":            "0-3\n",
			"sys/fs/cgroup/cpuset/box/cpuset.effective_cpus":  "1-2\n",
			"sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us":  "200000\n",
			"sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":      "-1\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":     "100000\n",
		}, []int{1, 2}, 2},
		{"version 1, linked controller", files{
			"proc/self/cgroup":                    "4:cpu,cpuacct:/\n5:cpuset:/\n",
			"sys/fs/cgroup/cpuset/cpuset.cpus":    "0-1\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":  "50000\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
		}, []int{0, 1}, 0.5},
		{"rubbish", files{
			"proc/self/cgroup":                      "::\nx\n0::/a\n",
			"sys/fs/cgroup/a/cpuset.cpus.effective": "all\n",
			"sys/fs/cgroup/a/cpu.max":               "1\n",
			"sys/fs/cgroup/cpu.max":                 "0 0\n",
		}, nil, 0},
	} {
		root := fstest.MapFS{}
		for name, text := range c.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		g := readCgroups(root)
		cpus, ok := g.cpus()
		if !slices.Equal(cpus, c.cpus) || ok != (c.cpus != nil) {
			t.Errorf("%s: CPUs %v, %v, want %v", c.name, cpus, ok, c.cpus)
		}
		if got := g.quota(); got != c.quota {
			t.Errorf("%s: quota %v, want %v", c.name, got, c.quota)
		}
	}
}
