// Package preflight looks at the machine that the shards are to run on: what keeps them from their best, and what
// to do about it. Inspect says so; a TuningPlan changes what can be changed while all runs.
//
// The checks are a table over a Machine, which reads files and asks the kernel; tests put made-up machines in its
// place.
package preflight

import "heimdall/core/config"

// Verdict is what a check comes to.
type Verdict string

// The verdicts.
const (
	OK   Verdict = "ok"
	Warn Verdict = "warn" // works, but not as well as it could
	Fail Verdict = "fail" // does not work as configured
)

// Finding is one line of a report.
type Finding struct {
	Check   string   `json:"check"`
	Subject string   `json:"subject,omitempty"` // the interface that it is about
	Verdict Verdict  `json:"verdict"`
	Found   string   `json:"found"`
	Advice  string   `json:"advice,omitempty"`  // what to do, and why
	Command string   `json:"command,omitempty"` // to paste into a shell
	Log     []string `json:"log,omitempty"`     // of the kernel's verifier, all of it
}

// Options say what is to be checked.
type Options struct {
	Config     *config.Config
	PID        string   // the daemon's, as in /proc; "self" for one that is yet to be started by this user
	Interfaces []string // beside those of xdp.interfaces
	Shards     []Shard  // in their order
	Attached   []string // interfaces with this daemon's own XDP program
	Daemon     *Daemon  // what the daemon knows that this machine does not tell; nil: it does not run
}

// Daemon is what the running daemon has found wrong; empty: nothing.
type Daemon struct {
	Network string
	Clock   string
}

// Shard is where a shard runs.
type Shard struct {
	CPU  int // -1: on any
	Node int // NUMA node; -1: unknown
}

// inspector carries out the checks.
type inspector struct {
	Options
	m        Machine
	findings []Finding
}

// check is one row of the table: what it looks at, once or for each interface.
type check struct {
	name string
	once func(*inspector, reporter)
	each func(*inspector, string, reporter)
}

// reporter notes a finding of one check.
type reporter func(v Verdict, found, advice, command string)

// checks in the order of the report.
var checks = []check{
	{name: "kernel", once: kernelVersion},
	{name: "features", once: kernelFeatures},
	{name: "programs", once: programs},
	{name: "btf", once: typeInformation},
	{name: "io_uring", once: ioUring},
	{name: "capabilities", once: capabilities},
	{name: "sandbox", once: confinement},
	{name: "memlock", once: lockedMemory},
	{name: "open_files", once: openFiles},
	{name: "netfilter", once: filters},
	{name: "rmem_max", once: receiveBuffers},
	{name: "wmem_max", once: sendBuffers},
	{name: "huge_pages", once: hugePages},
	{name: "cpus", once: shardCPUs},
	{name: "governor", once: governors},
	{name: "irqbalance", once: irqbalance},
	{name: "network", once: network},
	{name: "clock", once: rightClock},
	{name: "interface", each: interfaceUp},
	{name: "xdp_mode", each: xdpMode},
	{name: "xdp_program", each: otherProgram},
	{name: "source_check", each: sourceCheck},
	{name: "mtu", each: mtu},
	{name: "vlan_offload", each: vlanOffload},
	{name: "queues", each: queues},
	{name: "irq_affinity", each: irqAffinity},
	{name: "numa", each: numa},
}

// Inspect carries out all checks. An interface that is not there is not looked at any further.
func Inspect(m Machine, o Options) []Finding {
	i := &inspector{Options: o, m: m}
	for _, c := range checks {
		if c.once != nil {
			c.once(i, i.reporter(c.name, ""))
			continue
		}
		for _, name := range i.interfaces() {
			if c.name == "interface" || exists(m, name) {
				c.each(i, name, i.reporter(c.name, name))
			}
		}
	}
	return i.findings
}

func (i *inspector) reporter(check, subject string) reporter {
	return func(v Verdict, found, advice, command string) {
		i.findings = append(i.findings, Finding{Check: check, Subject: subject, Verdict: v, Found: found, Advice: advice, Command: command})
	}
}

// interfaces are those of the configuration and those that were named, each once.
func (i *inspector) interfaces() []string { return unique(i.Config.XDP.Interfaces, i.Interfaces) }

// xdp tells whether the configuration wants the XDP program.
func (i *inspector) xdp() bool { return i.Config.XDP.Mode != "off" }

// needed is the verdict on what only the XDP program needs.
func (i *inspector) needed() Verdict {
	if i.xdp() {
		return Fail
	}
	return Warn
}

func unique(lists ...[]string) (out []string) {
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out
}
