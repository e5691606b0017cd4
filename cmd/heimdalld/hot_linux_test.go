package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// inBothModes runs a test in native and in generic mode.
func inBothModes(t *testing.T, f func(t *testing.T, l *hotLab)) {
	t.Parallel()
	for _, mode := range []string{"native", "generic"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f(t, newHotLab(t, mode))
		})
	}
}

// hotQuestions are to the zone and to the upstream: data, aliases, wildcards, names and types that are not there, an
// answer too long for an entry of the kernel's, and one too long for 512 octets.
var hotQuestions = []struct {
	name  string
	qtype uint16
}{
	{"www.hot.test.", dns.TypeA}, {"www.hot.test.", dns.TypeAAAA}, {"hot.test.", dns.TypeMX}, {"hot.test.", dns.TypeSOA}, {"text.hot.test.", dns.TypeTXT},
	{"alias.hot.test.", dns.TypeA}, {"any.wild.hot.test.", dns.TypeA}, {"none.hot.test.", dns.TypeA}, {"big.hot.test.", dns.TypeTXT},
	{"www.far.example.", dns.TypeA}, {"www.far.example.", dns.TypeAAAA}, {"far.example.", dns.TypeMX}, {"text.far.example.", dns.TypeTXT}, {"alias.far.example.", dns.TypeA}, {"none.far.example.", dns.TypeA},
	{"away.hot.test.", dns.TypeA}, {"into.far.example.", dns.TypeA},
}

// randomQuery asks one of them in one of the ways that clients ask.
func randomQuery(t *testing.T, rnd *rand.Rand) []byte {
	t.Helper()
	of := hotQuestions[rnd.IntN(len(hotQuestions))]
	name := []byte(of.name)
	for i, c := range name {
		if 'a' <= c && c <= 'z' && rnd.IntN(2) == 0 {
			name[i] = c - 'a' + 'A'
		}
	}
	q := question(string(name), of.qtype)
	q.Id = uint16(rnd.Uint32())
	q.RecursionDesired, q.CheckingDisabled, q.AuthenticatedData = rnd.IntN(2) == 0, rnd.IntN(4) == 0, rnd.IntN(2) == 0
	if rnd.IntN(3) > 0 {
		q.SetEdns0(uint16(512+rnd.IntN(4096-512+1)), rnd.IntN(2) == 0)
		if rnd.IntN(8) == 0 {
			q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_PADDING{Padding: make([]byte, rnd.IntN(20))}}
		}
	}
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the kernel sends is octet for octet what a shard sends, to all that clients ask.
func TestRootHotResponses(t *testing.T) {
	inBothModes(t, func(t *testing.T, l *hotLab) {
		rnd := rand.New(rand.NewPCG(1, 2))
		const queries = 2000
		before := l.sent()
		for range queries {
			q := randomQuery(t, rnd)
			family := rnd.IntN(2)
			// The shard is asked before and after: a second may end in between.
			earlier, got, later := l.ask(t, l.inside[family], q), l.ask(t, l.outside[family], q), l.ask(t, l.inside[family], q)
			most, ttls, least := takeTTLs(t, earlier), takeTTLs(t, got), takeTTLs(t, later)
			if !bytes.Equal(got, earlier) || !bytes.Equal(got, later) {
				t.Fatalf("query %x: a client got\n%x, a shard sent\n%x and\n%x", q, got, earlier, later)
			}
			for i, ttl := range ttls {
				if ttl < least[i] || ttl > most[i]+1 { // the kernel's clock lags by a tick
					t.Fatalf("query %x: a client got TTL %d, a shard sent %d and %d", q, ttl, most[i], least[i])
				}
			}
		}
		// It leaves to the shard what has options or does not fit, and that is more over veth: there is little room
		// behind a short frame.
		if n := l.sent() - before; n < queries/3 || n == queries {
			t.Errorf("the kernel answered %d of %d", n, queries)
		} else {
			t.Logf("the kernel answered %d of %d", n, queries)
		}
	})
}

// The names of a zone are answered in the kernel without having been asked for before, from the first query on.
func TestRootHotZone(t *testing.T) {
	inBothModes(t, func(t *testing.T, l *hotLab) {
		sets := []struct {
			name  string
			qtype uint16
		}{
			{"hot.test.", dns.TypeSOA}, {"hot.test.", dns.TypeNS}, {"hot.test.", dns.TypeMX}, {"ns.hot.test.", dns.TypeA}, {"www.hot.test.", dns.TypeA},
			{"mail.hot.test.", dns.TypeA}, {"mail.hot.test.", dns.TypeAAAA}, {"alias.hot.test.", dns.TypeCNAME}, {"text.hot.test.", dns.TypeTXT}, {"big.hot.test.", dns.TypeTXT},
		}
		if n := l.xdp().Answers; n < 2*len(sets) {
			t.Errorf("the daemon serves with %d answers published, want %d and more", n, 2*len(sets))
		}
		before := l.exits()
		for _, set := range sets {
			for _, do := range []bool{false, true} {
				q, err := question(set.name, set.qtype).SetEdns0(1232, do).Pack()
				if err != nil {
					t.Fatal(err)
				}
				l.ask(t, l.outside[0], q)
			}
		}
		// Over veth there is little room behind a short frame: the longest answers are left to the shard.
		after := l.exits()
		sent, tail := after["send_answer"]-before["send_answer"], after["pass_tail"]-before["pass_tail"]
		if all := uint64(2 * len(sets)); sent+tail != all || sent < all*3/4 {
			t.Errorf("of %d the kernel answered %d, and %d had no room: %v", all, sent, tail, after)
		}
	})
}

// While there is room, the answers to names that were asked for once get into the kernel.
func TestRootHotAfterOneQuery(t *testing.T) {
	inBothModes(t, func(t *testing.T, l *hotLab) {
		const names = 100
		before, asked := l.xdp().Answers, 0
		once := func() {
			l.address(t, l.outside[asked%2], fmt.Sprintf("once%d.far.example.", asked))
			asked++
		}
		for range names {
			once()
		}
		// The shard may have had no answer yet when the publisher asked it for one: then it takes a few names more.
		until(t, "answers to be published", func() bool {
			once()
			return l.xdp().Answers-before > names*3/4
		})
		if n := l.sent(); n > 0 {
			t.Errorf("the kernel answered %d queries for names that were asked for once", n)
		}
	})
}

// After a flush, a reload or the end of its TTL nobody gets an old answer, and the program stays attached.
func TestRootHotChanges(t *testing.T) {
	inBothModes(t, func(t *testing.T, l *hotLab) {
		program := l.program(t)
		current := func(name string, want int) {
			t.Helper()
			for i := range 20 {
				if got := l.address(t, l.outside[i%2], name); got != want {
					t.Fatalf("%s: version %d, want %d", name, got, want)
				}
			}
		}
		must := func(args ...string) {
			t.Helper()
			if out, code := l.ctl(args...); code != 0 {
				t.Fatalf("heimdallctl %v: %s", args, out)
			}
		}
		l.untilHot(t, "www.far.example.", 1)
		for version, flush := range [][]string{2: {"cache", "flush"}, {"cache", "flush", "www.far.example."}} {
			if flush == nil {
				continue
			}
			l.version.Store(uint32(version))
			current("www.far.example.", version-1) // out of the cache yet
			must(flush...)
			current("www.far.example.", version)
			l.untilHot(t, "www.far.example.", version)
		}
		l.untilHot(t, "www.hot.test.", 1)
		for version := 2; version <= 3; version++ {
			l.untilHot(t, "into.far.example.", version-1)
			l.writeZone(t, version)
			current("www.hot.test.", version-1)
			must("reload")
			current("www.hot.test.", version)
			current("into.far.example.", version)
			l.untilHot(t, "www.hot.test.", version)
		}
		expire(t, l)
		if now := l.program(t); program == "" || now != program {
			t.Errorf("program %q is attached, %q at first", now, program)
		}
		l.stop(syscall.SIGKILL)
		until(t, "the program to be detached", func() bool { return l.program(t) == "" })
	})
}

// expire asks for what the upstream changes whenever it is asked, and lets live for two seconds.
func expire(t *testing.T, l *hotLab) {
	t.Helper()
	before, first, ended := l.sent(), l.address(t, l.inside[0], "short.far.example."), 0
	for last, end := first, time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		fresh := l.address(t, l.inside[0], "short.far.example.")
		got := l.address(t, l.outside[0], "short.far.example.")
		if got < fresh {
			time.Sleep(200 * time.Millisecond) // the kernel's clock lags by a tick, by more where the machine halts
			got = l.address(t, l.outside[0], "short.far.example.")
		}
		if got < fresh {
			t.Fatalf("a client got version %d, a shard had sent %d", got, fresh)
		}
		if fresh == last {
			continue
		}
		last = fresh
		if ended++; ended >= 2 && l.sent() > before+20 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the kernel answered %d times while %d answers came and went", l.sent()-before, ended)
		}
	}
}
