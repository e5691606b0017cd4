package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// markedText is a zone that says its version, 1 to 99, everywhere: in the SOA's serial, in the second octet of
// each address, in texts, preferences and names. The versions differ in size, so that records are elsewhere.
func markedText(version int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "$TTL 60\n@ SOA ns host %d 2 3 4 %d\n@ NS ns-%d\nns-%d A 10.%d.0.1\n", version, version, version, version, version)
	for i := range 3 + version {
		fmt.Fprintf(&b, "many A 10.%d.1.%d\nmany TXT \"version %d of %d\"\n", version, i, i, version)
		fmt.Fprintf(&b, "mail MX %d mx-%d-%d\nmx-%d-%d A 10.%d.2.%d\n", version, i, version, i, version, version, i)
	}
	fmt.Fprintf(&b, "alias CNAME next-%d\nnext-%d CNAME many\n*.wild A 10.%d.3.1\n*.wild A 10.%d.3.2\n", version, version, version, version)
	fmt.Fprintf(&b, "cut NS ns-%d.cut\nns-%d.cut A 10.%d.4.1\nns-%d.cut A 10.%d.4.2\n", version, version, version, version, version)
	for i := range version * 20 {
		fmt.Fprintf(&b, "filler-%d TXT \"%s\"\n", i, strings.Repeat("x", version))
	}
	return b.String()
}

// markedQuestions are asked at random, with random labels for their asterisks; cross.two.example. leads from one
// zone into the other.
var markedQuestions = []dns.Question{
	{Name: "one.example.", Qtype: dns.TypeSOA}, {Name: "one.example.", Qtype: dns.TypeNS}, {Name: "many.one.example.", Qtype: dns.TypeA},
	{Name: "many.one.example.", Qtype: dns.TypeTXT}, {Name: "mail.one.example.", Qtype: dns.TypeMX}, {Name: "alias.one.example.", Qtype: dns.TypeA},
	{Name: "*.wild.one.example.", Qtype: dns.TypeA}, {Name: "*.cut.one.example.", Qtype: dns.TypeA}, {Name: "*.one.example.", Qtype: dns.TypeA},
	{Name: "many.one.example.", Qtype: dns.TypeAAAA}, {Name: "cross.two.example.", Qtype: dns.TypeA},
}

// versionsOf counts the versions that the records of a response speak of, and the records that speak of any.
func versionsOf(r *dns.Msg) (versions map[int]bool, marked int) {
	versions = map[int]bool{}
	see := func(v int) {
		versions[v] = true
		marked++
	}
	for _, section := range [][]dns.RR{r.Answer, r.Ns, r.Extra} {
		for _, rr := range section {
			var a, b int
			switch rr := rr.(type) {
			case *dns.SOA:
				see(int(rr.Serial))
				see(int(rr.Minttl))
			case *dns.A:
				see(int(rr.A.To4()[1]))
			case *dns.TXT:
				fmt.Sscanf(rr.Txt[0], "version %d of %d", &a, &b)
				see(b)
			case *dns.MX:
				fmt.Sscanf(rr.Mx, "mx-%d-%d", &a, &b)
				see(b)
				see(int(rr.Preference))
			case *dns.NS:
				fmt.Sscanf(rr.Ns, "ns-%d", &a)
				see(a)
			case *dns.CNAME:
				if n, _ := fmt.Sscanf(rr.Target, "next-%d", &a); n == 1 {
					see(a)
				}
			}
		}
	}
	return versions, marked
}

// whole checks that a response is one version's, all of it, and returns which.
func whole(q dns.Question, r *dns.Msg) (version int, err error) {
	versions, marked := versionsOf(r)
	for version = range versions {
	}
	if len(versions) != 1 || version < 1 || version > 99 || r.Truncated {
		return 0, fmt.Errorf("%s: %d versions in %v", q.String(), len(versions), r)
	}
	records := 3 + version
	want := records
	switch {
	case q.Qtype == dns.TypeMX:
		want = 3 * records // twice in each MX record, once in its address
	case strings.Contains(q.Name, ".cut."):
		want = 3
	case q.Qtype == dns.TypeSOA, q.Qtype == dns.TypeNS, q.Qtype == dns.TypeAAAA, strings.HasPrefix(q.Name, "r"):
		want = 2 // the negative ones say it twice in the SOA, the wildcard has two records
	case strings.HasPrefix(q.Name, "alias"), strings.HasPrefix(q.Name, "cross"):
		want = records + 1
	}
	if marked != want {
		return 0, fmt.Errorf("%s: %d marks, want %d, in %v", q.String(), marked, want, r)
	}
	return version, nil
}

// How much TestZoneReloadsUnderLoad does. `make storm` asks for more.
var (
	stormQueries = flag.Int("storm-queries", 100_000, "`queries` at least, over all sockets")
	stormReloads = flag.Int("storm-reloads", 30, "`reloads` while they are asked")
)

// Many random queries, always several under way at each socket, while versions of two zones take turns: none is
// lost, and none is answered from two versions or half of one.
func TestZoneReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	const (
		sockets = 4
		window  = 32 // queries under way at each socket
	)
	queries, reloads := *stormQueries, *stormReloads
	began := time.Now()
	one, two := writeFile(t, "one", markedText(1)), writeFile(t, "two", "")
	link := func(version int) string {
		return fmt.Sprintf("$TTL 60\n@ SOA ns host %d 2 3 4 5\n@ NS ns\nns A 192.0.2.1\ncross CNAME alias.one.example.\n", version)
	}
	replaceZone(t, two, link(1))
	d := start(t, "[cpu]\nshards = 2\npin = false\n"+authoritativeOnly+zoneTable("one.example.", one)+zoneTable("two.example.", two))
	load := &zoneLoad{addr: d.addr, enough: queries}
	var all sync.WaitGroup
	failed := make(chan error, sockets)
	for s := range sockets {
		all.Go(func() {
			if err := load.run(s, window); err != nil {
				failed <- err
			}
		})
	}
	for i := range reloads {
		until(t, "queries between two reloads", func() bool { return load.asked() >= queries*i/reloads || len(failed) > 0 })
		version := 2 - i%2
		replaceZone(t, one, markedText(version))
		replaceZone(t, two, link(version))
		var z zoneList
		if i%3 == 0 {
			d.ctlJSON(&z, "zone", "reload", "--all")
		} else {
			d.ctlJSON(&z, "zone", "reload", "one.example.")
		}
		if len(z.Zones) == 0 || z.Zones[0].Name != "one.example." || z.Zones[0].Serial != uint32(version) {
			t.Errorf("reload %d: %+v", i, z)
		}
		// The reload has ended: the new version is what everybody gets.
		if r := d.ask("one.example.", dns.TypeSOA); len(r.Answer) != 1 || r.Answer[0].(*dns.SOA).Serial != uint32(version) {
			t.Errorf("after reload %d: %v", i, r)
		}
	}
	load.done.Store(true)
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	t.Logf("%d queries, %d reloads, %v", load.asked(), reloads, time.Since(began).Round(time.Millisecond))
	if one, two := load.answered[1].Load(), load.answered[2].Load(); one < int64(queries/10) || two < int64(queries/10) {
		t.Errorf("%d answers from one version and %d from the other", one, two)
	}
}

// zoneLoad asks markedQuestions.
type zoneLoad struct {
	addr     string
	enough   int               // queries, over all sockets, before which nobody stops
	done     atomic.Bool       // stop after enough
	answered [100]atomic.Int64 // by version
}

func (l *zoneLoad) asked() (n int) {
	for i := range l.answered {
		n += int(l.answered[i].Load())
	}
	return n
}

// run sends one window of queries after the other from a socket of its own.
func (l *zoneLoad) run(s, window int) error {
	c, err := net.Dial("udp", l.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	buf := make([]byte, 65536)
	rng := rand.New(rand.NewPCG(uint64(s), 1))
	for round := 0; !l.done.Load() || l.asked() < l.enough; round++ {
		c.SetDeadline(time.Now().Add(patience))
		open := map[uint16]dns.Question{}
		for i := range window {
			q := new(dns.Msg)
			q.Id = uint16(round*window + i)
			q.Question = []dns.Question{markedQuestions[rng.IntN(len(markedQuestions))]}
			q.Question[0].Name = strings.Replace(q.Question[0].Name, "*", fmt.Sprintf("r%d", rng.Uint32()), 1)
			q.Question[0].Qclass = dns.ClassINET
			q.SetEdns0(1232, false)
			octets, err := q.Pack()
			if err != nil {
				return err
			}
			if _, err := c.Write(octets); err != nil {
				return err
			}
			open[q.Id] = q.Question[0]
		}
		for len(open) > 0 {
			n, err := c.Read(buf)
			if err != nil {
				return fmt.Errorf("%d of %d queries were not answered: %w", len(open), window, err)
			}
			r := new(dns.Msg)
			if err := r.Unpack(buf[:n]); err != nil {
				return err
			}
			q, ok := open[r.Id]
			if !ok || len(r.Question) != 1 || r.Question[0] != q {
				return fmt.Errorf("not an answer to what is open: %v", r)
			}
			version, err := whole(q, r)
			if err != nil {
				return err
			}
			delete(open, r.Id)
			l.answered[version].Add(1)
		}
	}
	return nil
}
