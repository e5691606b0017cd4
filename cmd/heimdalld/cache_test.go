package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// withTTL answers with 192.0.2.1 and a TTL.
func withTTL(ttl uint32) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		r := right(q)
		r.Answer[0].Header().Ttl = ttl
		w.WriteMsg(r)
	}
}

// ednsAsk asks with EDNS, so that extended errors are told.
func ednsAsk(d *daemon, name string) *dns.Msg {
	d.t.Helper()
	q := question(name, dns.TypeA)
	q.SetEdns0(1232, false)
	return d.exchange(q, "udp")
}

// A client waits for a server that does not answer no longer than stale_client_timeout; then it gets what was
// known, with the TTL that stale answers have. When the server is back the answer is fresh again.
func TestStaleAnswersWhileTheServerIsSilent(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, withTTL(1))
	d := start(t, "[cache]\nstale_client_timeout = \"100ms\"\nstale_answer_ttl = \"17s\"\n[resolver]\ntimeout = \"20s\"\n"+forward(".", up))
	stillRight(t, d, "old.example.")
	up.Set(silent)
	until(t, "a stale answer", func() bool {
		r := ednsAsk(d, "old.example.")
		if len(r.Answer) != 1 {
			t.Fatal(r)
		}
		code, _ := ede(r)
		return code == dns.ExtendedErrorCodeStaleAnswer && r.Answer[0].Header().Ttl == 17
	})
	up.Set(withTTL(3600))
	until(t, "a fresh answer", func() bool {
		r := ednsAsk(d, "old.example.")
		_, extended := ede(r)
		return !extended && len(r.Answer) == 1 && r.Answer[0].Header().Ttl > 3000
	})
	until(t, "nothing to be in flight", func() bool { return inFlight(d) == 0 })
}

func TestStaleNegativeAnswers(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
		r.Ns = []dns.RR{record("example. 1 IN SOA ns.example. host.example. 1 2 3 4 1")}
		w.WriteMsg(r)
	})
	d := start(t, forward(".", up))
	if r := ednsAsk(d, "gone.example."); r.Rcode != dns.RcodeNameError {
		t.Fatal(r)
	}
	up.Set(rcode(dns.RcodeServerFailure))
	until(t, "a stale NXDOMAIN", func() bool {
		r := ednsAsk(d, "gone.example.")
		if r.Rcode != dns.RcodeNameError {
			t.Fatal(r)
		}
		code, _ := ede(r)
		return code == dns.ExtendedErrorCodeStaleNXDOMAINAnswer
	})
}

func TestStaleAnswersOff(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, withTTL(1))
	d := start(t, "[cache]\nstale = \"0s\"\n"+forward(".", up))
	stillRight(t, d, "old.example.")
	up.Set(rcode(dns.RcodeServerFailure))
	until(t, "the answer to be forgotten", func() bool {
		r := ednsAsk(d, "old.example.")
		if code, _ := ede(r); code == dns.ExtendedErrorCodeStaleAnswer {
			t.Fatal(r)
		}
		return r.Rcode == dns.RcodeServerFailure
	})
}

// A name that is asked for often is fetched anew before its time is over: nobody waits, and none gets an old
// answer.
func TestPrefetch(t *testing.T) {
	t.Parallel()
	var version atomic.Int32
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := right(q)
		r.Answer[0] = record("%s 20 IN A 192.0.2.%d", q.Question[0].Name, version.Add(1))
		w.WriteMsg(r)
	})
	d := start(t, "[cache]\nprefetch = 90\nprefetch_min_hits = 3\n"+forward(".", up))
	d.ask("cold.example.", dns.TypeA)
	until(t, "the second version", func() bool {
		r := d.ask("hot.example.", dns.TypeA)
		if len(r.Answer) != 1 || r.Answer[0].Header().Ttl < 10 {
			t.Fatalf("not refreshed before its end: %v", r)
		}
		return up.Count("hot.example.") > 1 && r.Answer[0].(*dns.A).A.String() == fmt.Sprintf("192.0.2.%d", version.Load())
	})
	if n := up.Count("cold.example."); n != 1 {
		t.Errorf("a name without hits was asked for %d times", n)
	}
}

// RFC 2308, section 5: SOA.MINIMUM bounds the TTL of a negative answer, and so does max_negative_ttl.
func TestNegativeTTLs(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
		switch name := strings.ToLower(q.Question[0].Name); {
		case strings.HasPrefix(name, "minimum"):
			r.Ns = []dns.RR{record("example. 3000 IN SOA ns.example. host.example. 1 2 3 4 40")}
		case strings.HasPrefix(name, "long"):
			r.Ns = []dns.RR{record("example. 300000 IN SOA ns.example. host.example. 1 2 3 4 300000")}
		}
		w.WriteMsg(r)
	})
	d := start(t, "[cache]\nmax_negative_ttl = \"100s\"\n"+forward(".", up))
	for name, most := range map[string]uint32{"minimum.example.": 40, "long.example.": 100} {
		d.ask(name, dns.TypeA)
		for range 2 {
			r := d.ask(name, dns.TypeA)
			if r.Rcode != dns.RcodeNameError || len(r.Ns) != 1 || r.Ns[0].Header().Ttl > most || r.Ns[0].Header().Ttl < most/2 {
				t.Errorf("%s: %v", name, r)
			}
		}
		if n := up.Count(name); n != 1 {
			t.Errorf("%s was asked for %d times", name, n)
		}
	}
	// RFC 2308, section 5: without an SOA it should not be cached.
	d.ask("nosoa.example.", dns.TypeA)
	d.ask("nosoa.example.", dns.TypeA)
	if n := up.Count("nosoa.example."); n < 2 {
		t.Errorf("a negative answer without SOA was cached")
	}
}

// RFC 9520: what cannot be resolved is not asked for again at once, whoever asks.
func TestFailuresAreCached(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, rcode(dns.RcodeServerFailure))
	d := start(t, "[cache]\nservfail_ttl = \"5m\"\n"+forward(".", up))
	for range 2 {
		if r := ednsAsk(d, "bad.example."); r.Rcode != dns.RcodeServerFailure {
			t.Fatal(r)
		}
	}
	asked := up.Count("bad.example.")
	for range 20 {
		r := ednsAsk(d, "bad.example.")
		if _, extended := ede(r); r.Rcode != dns.RcodeServerFailure || !extended {
			t.Fatal(r)
		}
	}
	if n := up.Count("bad.example."); n != asked {
		t.Fatalf("asked %d times, then %d", asked, n)
	}
}

func TestTTLBounds(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		switch name := strings.ToLower(q.Question[0].Name); {
		case strings.HasPrefix(name, "short"):
			withTTL(1)(w, q)
		case strings.HasPrefix(name, "huge"):
			withTTL(1<<31+5)(w, q) // RFC 2181, section 8: as if it were 0
		default:
			withTTL(100_000)(w, q)
		}
	})
	d := start(t, "[cache]\nmin_ttl = \"60s\"\nmax_ttl = \"600s\"\n"+forward(".", up))
	for name, want := range map[string]uint32{"short.example.": 60, "long.example.": 600, "huge.example.": 60} {
		d.ask(name, dns.TypeA)
		r := d.ask(name, dns.TypeA)
		if ttl := r.Answer[0].Header().Ttl; ttl > want || ttl < want/2 {
			t.Errorf("%s: TTL %d, want up to %d", name, ttl, want)
		}
		if n := up.Count(name); n != 1 {
			t.Errorf("%s was asked for %d times", name, n)
		}
	}
}

func TestTTLZeroIsNotCached(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, withTTL(0))
	d := start(t, forward(".", up))
	for range 3 {
		stillRight(t, d, "zero.example.")
	}
	if n := up.Count("zero.example."); n < 6 {
		t.Fatalf("6 clients, asked %d times", n)
	}
}

// An answer larger than an entry may be is served and not stored.
func TestLargeAnswersAreNotStored(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.RecursionAvailable = true
		for i := range 60 {
			r.Answer = append(r.Answer, record("%s 60 IN TXT %d-%s", q.Question[0].Name, i, strings.Repeat("x", 100)))
		}
		if !overTCP(w) {
			r.Truncate(1232)
		}
		w.WriteMsg(r)
	})
	d := start(t, "[cache]\nmax_entry = \"4KiB\"\n"+forward(".", up))
	for range 3 {
		if r := d.exchange(question("large.example.", dns.TypeTXT), "tcp"); len(r.Answer) != 60 {
			t.Fatal(r)
		}
	}
	var s struct {
		Total struct {
			Entries  int
			TooLarge int `json:"too_large"`
		}
	}
	d.ctlJSON(&s, "cache", "stats")
	if s.Total.Entries != 0 || s.Total.TooLarge < 3 {
		t.Fatalf("%+v", s)
	}
}

func TestAnyIsForwarded(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(right(q)) })
	d := start(t, forward(".", up))
	if r := d.exchange(question("any.example.", dns.TypeANY), "tcp"); len(r.Answer) != 1 || r.Answer[0].Header().Rrtype != dns.TypeA {
		t.Fatal(r)
	}
}

func TestMinimalAny(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(right(q)) })
	d := start(t, "[server]\nminimal_any = true\n"+forward(".", up))
	if r := d.ask("any.example.", dns.TypeANY); len(r.Answer) != 1 || r.Answer[0].Header().Rrtype != dns.TypeHINFO {
		t.Error(r)
	}
	if n := up.Count(""); n != 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}
