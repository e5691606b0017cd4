package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"heimdall/affinity/cpulist"

	"github.com/miekg/dns"
)

// options is the command line.
type options struct {
	targets     []*target
	helpers     []int // processes that are part of the experiment but are no target
	scenario    *scenario
	tcp         bool
	search      bool
	rate        float64 // queries a second
	attackRate  float64
	maxRate     float64
	maxLoss     float64 // share
	loads       []float64
	duration    time.Duration
	rounds      int
	file        string
	pattern     string
	count       uint64
	qtype       uint16
	base        netip.Addr
	zipf        float64
	edns        bool
	sockets     int
	threads     int
	cpus        []int
	local       netip.Addr
	attackLocal netip.Addr
	attackZone  []byte // wire form; nil: the names' own
	window      int
	hot         uint64
	warm        bool
	warmLimit   time.Duration
	timeout     time.Duration
	json        string
	args        []string
}

const usage = `heimdall-bench sends DNS queries on a fixed schedule, checks every reply, and compares servers side by side.

  heimdall-bench -server 127.0.0.1:1053 -rate 50000
  heimdall-bench -server a=127.0.0.1:1053 -pid a=4711 -server b=127.0.0.1:1054 -pid b=4712 -search -rounds 5 -json out.json
  heimdall-bench -server 127.0.0.1:1053 -scenario flood
  heimdall-bench -server a=127.0.0.1:53 -pid a=4711 -server b=127.0.0.1:5302 -pid b=4712 -scenario cold -names FILE

Scenarios:
%s
Exit codes: 0 done; 1 a reply was wrong, or no query had a good one; 2 the command line makes no sense.
Each thread keeps one CPU busy: leave the servers others.

Flags:
`

// parseOptions reads the command line. It has told errOut what is wrong when it
// returns an error.
func parseOptions(args []string, errOut io.Writer) (*options, error) {
	o := &options{args: args}
	f := flag.NewFlagSet("heimdall-bench", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.Usage = func() {
		fmt.Fprintf(errOut, usage, scenarioHelp())
		f.PrintDefaults()
	}
	var t texts
	collect := func(to *[]string) func(string) error {
		return func(v string) error { *to = append(*to, v); return nil }
	}
	f.Func("server", "server to measure, `[NAME=]ADDRESS:PORT`; repeat it to compare", collect(&t.servers))
	f.Func("pid", "process of a server, `NAME=PID`, for its CPU time and memory; a name that is no server's is not counted as a disturbance", collect(&t.pids))
	f.StringVar(&t.scenario, "scenario", "cached", "what to send, see above")
	f.StringVar(&t.proto, "proto", "udp", "udp, or tcp (pipelined on persistent connections)")
	f.BoolVar(&o.search, "search", false, "find the highest rate with at most -max-loss, then measure latency at -loads of it")
	f.Float64Var(&o.rate, "rate", 0, "queries a second; 0: as the scenario says")
	f.Float64Var(&o.attackRate, "attack-rate", 0, "attack packets a second; 0: as the scenario says")
	f.Float64Var(&o.maxRate, "max-rate", 1e6, "-search: what to overload the server with at first")
	f.Float64Var(&o.maxLoss, "max-loss", 0.01, "-search: share of the queries that may stay without a good reply")
	f.StringVar(&t.loads, "loads", "50,80", "-search: loads at which to measure latency, in percent of the rate found")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "length of each measurement")
	f.IntVar(&o.rounds, "rounds", 3, "how often each server has its turn")
	f.StringVar(&o.file, "names", "", "`file` with lines of the form: name type [address | RCODE]")
	f.StringVar(&o.pattern, "pattern", "h%d.example", "names to ask for without -names")
	f.Uint64Var(&o.count, "count", 100000, "how many names -pattern makes")
	f.StringVar(&t.qtype, "type", "A", "type to ask for with -pattern")
	f.StringVar(&t.base, "address", "10.0.0.0", "address of the first name of -pattern, the others count up from it; none: do not check")
	f.Float64Var(&o.zipf, "zipf", 1, "scenario zipf: the exponent")
	f.BoolVar(&o.edns, "edns", false, "send an OPT record")
	f.IntVar(&o.sockets, "sockets", 4, "sockets or connections of each stream, at least; more are used when message IDs would repeat too soon")
	f.IntVar(&o.threads, "threads", 1, "generating threads")
	f.StringVar(&t.cpus, "cpus", "", "CPUs to pin them to, such as 1 or 2-5,8")
	f.StringVar(&t.local, "local", "", "source address of the queries")
	f.StringVar(&t.attackLocal, "attack-local", "", "source address of the attack; 127.0.0.2 when the server is on IPv4 loopback")
	f.StringVar(&t.zone, "attack-zone", "", "`name` below which the flood invents names; by default that of the queries")
	f.IntVar(&o.window, "window", 100, "queries open at once, while warming up and in scenario cold")
	f.Uint64Var(&o.hot, "hot", 1000, "scenario beside: how many of the `names`, from the first, are the cached ones")
	f.BoolVar(&o.warm, "warm", true, "ask for every name once before each round; not in scenario cold, where each round has its own part of the names")
	f.DurationVar(&o.warmLimit, "warm-limit", time.Minute, "how long that may take")
	f.DurationVar(&o.timeout, "timeout", time.Second, "a reply that takes longer is no good")
	f.StringVar(&o.json, "json", "", "`file` for all figures of all rounds; -: print them instead of the table")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	t.rest = f.Args()
	err := o.fill(&t)
	if err != nil {
		fmt.Fprintf(errOut, "heimdall-bench: %v\n  to do: see heimdall-bench -help\n", err)
	}
	return o, err
}

// texts is flags as they were written, before they are understood.
type texts struct {
	servers, pids, rest                       []string
	scenario, proto, loads, qtype, base, cpus string
	local, attackLocal, zone                  string
}

// fill turns the texts of the command line into values and checks them.
func (o *options) fill(t *texts) (err error) {
	if len(t.rest) > 0 {
		return fmt.Errorf("%q is not a flag", t.rest[0])
	}
	if o.scenario, err = findScenario(t.scenario); err != nil {
		return err
	}
	if err := o.fillTargets(t.servers, t.pids); err != nil {
		return err
	}
	if t.proto != "udp" && t.proto != "tcp" {
		return fmt.Errorf("-proto %q: want udp or tcp", t.proto)
	}
	o.tcp = t.proto == "tcp"
	if o.qtype, err = parseType(t.qtype); err != nil {
		return fmt.Errorf("-type: %w", err)
	}
	for text := range strings.SplitSeq(t.loads, ",") {
		percent, err := strconv.ParseFloat(text, 64)
		if err != nil || !(percent > 0 && percent <= 100) {
			return fmt.Errorf("-loads %q: want percentages such as 50,80", t.loads)
		}
		o.loads = append(o.loads, percent)
	}
	if o.cpus, err = cpulist.Parse(t.cpus); err != nil {
		return fmt.Errorf("-cpus: %w", err)
	}
	if t.base == "none" {
		t.base = ""
	}
	for _, a := range []struct {
		flag, text string
		to         *netip.Addr
	}{{"-address", t.base, &o.base}, {"-local", t.local, &o.local}, {"-attack-local", t.attackLocal, &o.attackLocal}} {
		if a.text == "" {
			continue
		}
		if *a.to, err = netip.ParseAddr(a.text); err != nil {
			return fmt.Errorf("%s: %w", a.flag, err)
		}
	}
	if t.zone != "" {
		var wire [256]byte
		n, err := dns.PackDomainName(dns.Fqdn(t.zone), wire[:], 0, nil, false)
		if err != nil {
			return fmt.Errorf("-attack-zone: %w", err)
		}
		o.attackZone = wire[:n]
	}
	if o.rate == 0 {
		o.rate = o.scenario.rate
	}
	if o.attackRate == 0 {
		o.attackRate = o.scenario.attackRate
	}
	o.warm = o.warm && !o.scenario.cold
	return o.check()
}

// check refuses what cannot be measured.
func (o *options) check() error {
	switch {
	case o.scenario.cold && (o.rate != 0 || o.search):
		return errors.New("-rate and -search do not go with scenario cold: it goes as fast as replies come, see -window")
	case !(o.scenario.cold || o.rate > 0) || !(o.rate <= 1e8 && o.attackRate >= 0 && o.attackRate <= 1e8 && o.maxRate > 0 && o.maxRate <= 1e8):
		return errors.New("rates must be above 0 and at most 100 million a second")
	case !(o.maxLoss >= 0 && o.maxLoss < 1):
		return errors.New("-max-loss is a share, from 0 up to but not including 1")
	case o.duration < 10*time.Millisecond || o.timeout < time.Millisecond || o.warmLimit <= 0:
		return errors.New("-duration must be at least 10ms, -timeout 1ms, -warm-limit above 0")
	case o.rounds < 1 || o.sockets < 1 || o.threads < 1 || o.window < 1:
		return errors.New("-rounds, -sockets, -threads and -window must be at least 1")
	case !(o.zipf >= 0 && o.zipf <= 10):
		return errors.New("-zipf must be from 0 to 10")
	case o.count > 1<<31:
		return errors.New("-count must be at most 2147483648")
	case o.scenario.attack == coldNames && (o.threads != 1 || o.hot < 1):
		return errors.New("scenario beside takes one thread, and a -hot of at least 1")
	case o.search && o.scenario.attack != noAttack:
		return fmt.Errorf("-search does not go with scenario %s: its rates are fixed", o.scenario.name)
	case o.tcp && o.scenario.attack.hostile():
		return fmt.Errorf("scenario %s is about UDP", o.scenario.name)
	}
	for _, t := range o.targets {
		if !o.scenario.attack.hostile() {
			continue
		}
		if !o.attackLocal.IsValid() && t.addr.Addr().Is4() && t.addr.Addr().IsLoopback() {
			o.attackLocal = netip.AddrFrom4([4]byte{127, 0, 0, 2})
		}
		if !o.attackLocal.IsValid() {
			return fmt.Errorf("scenario %s needs a second address: name one of this machine with -attack-local", o.scenario.name)
		}
	}
	return nil
}

// sharesCPU tells that others may need the generator's CPU: the servers that a resolver asks, when it is asked for what
// it does not know beside what it does. Its threads rest then, and the kernel tells how long a reply took.
func (o *options) sharesCPU() bool { return o.scenario.attack == coldNames && !o.tcp }
