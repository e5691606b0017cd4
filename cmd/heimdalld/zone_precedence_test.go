package main

import (
	"net"
	"testing"

	"github.com/miekg/dns"
)

// zoneFlags are the header bits that depend on what a server is for whom.
type zoneFlags struct{ aa, ra bool }

func (f zoneFlags) check(t *testing.T, what string, r *dns.Msg, rd bool) {
	t.Helper()
	if r.Authoritative != f.aa || r.RecursionAvailable != f.ra || r.RecursionDesired != rd || r.AuthenticatedData || !r.Response || r.Zero {
		t.Errorf("%s: want AA %v, RA %v, RD %v: %v", what, f.aa, f.ra, rd, r.MsgHdr)
	}
}

// askRD asks with and without RD, and checks the header bits of both responses. It returns the one without.
func askRD(t *testing.T, d *daemon, name string, want zoneFlags) *dns.Msg {
	t.Helper()
	q := question(name, dns.TypeA)
	want.check(t, name+" with RD", d.exchange(q, "udp"), true)
	q.RecursionDesired = false
	r := d.exchange(q, "udp")
	want.check(t, name+" without RD", r, false)
	return r
}

// Authoritative only: names outside of the zones are refused, and RA is never set.
func TestZonesWithoutRecursion(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, authoritativeOnly+allZones(t))
	if r := askRD(t, d, "www.example.org.", zoneFlags{aa: true}); len(r.Answer) != 2 {
		t.Error(r)
	}
	if r := askRD(t, d, "a.sub.example.org.", zoneFlags{}); len(r.Answer) != 0 || len(r.Ns) != 2 {
		t.Error(r)
	}
	for _, name := range []string{"www.example.com.", ".", "org.", "localhost.", "1.168.192.in-addr.arpa."} {
		if r := askRD(t, d, name, zoneFlags{}); r.Rcode != dns.RcodeRefused || len(r.Answer)+len(r.Ns) != 0 {
			t.Errorf("%s: %v", name, r)
		}
	}
	// A server to resolve with changes nothing, as long as recursion is off.
	d.write(authoritativeOnly + allZones(t) + forward(".", up))
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatal(out)
	}
	if r := askRD(t, d, "www.example.com.", zoneFlags{}); r.Rcode != dns.RcodeRefused {
		t.Error(r)
	}
	if n := up.Count(""); n != 0 {
		t.Errorf("a server was asked %d times", n)
	}
}

// Resolver only: AA is never set, RA always.
func TestRecursionWithoutZones(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	for range 2 { // from the server, then from the cache
		q := question("www.example.org", dns.TypeA)
		r := d.exchange(q, "udp")
		zoneFlags{ra: true}.check(t, "resolved", r, true)
		if len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
			t.Error(r)
		}
	}
	if out, code := d.ctl("zones"); code != 0 || out != "no zones are configured\n" {
		t.Errorf("zones: exit code %d: %s", code, out)
	}
	if out, code := d.ctl("zone", "lookup", "www.example.org", "A"); code != 1 {
		t.Errorf("zone lookup: exit code %d: %s", code, out)
	}
}

// Both on one listener: zones come before the cache and before recursion, for those who may recurse and for
// those who may not.
func TestZonesBeforeRecursion(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, "[recursion]\nallow = [\"127.0.0.1/32\"]\n"+allZones(t)+forward(".", up))
	for range 2 {
		if r := askRD(t, d, "www.example.org.", zoneFlags{aa: true, ra: true}); len(r.Answer) != 2 {
			t.Error(r)
		}
		if r := askRD(t, d, "nothing.example.org.", zoneFlags{aa: true, ra: true}); r.Rcode != dns.RcodeNameError {
			t.Error(r)
		}
		// A referral, not what recursion would find, and never something out of the cache.
		if r := askRD(t, d, "a.sub.example.org.", zoneFlags{ra: true}); textOf(r.Ns) != subNS || len(r.Answer) != 0 {
			t.Error(r)
		}
		// The name after the zones' part of a chain is for the client to ask about, unless it wants recursion.
		if r := askRD(t, d, "away.example.org.", zoneFlags{aa: true, ra: true}); textOf(r.Answer) != "away.example.org. CNAME host.elsewhere." {
			t.Error(r)
		}
		if r := d.ask("away.example.org.", dns.TypeA); textOf(r.Answer) != "away.example.org. CNAME host.elsewhere.|host.elsewhere. A 192.0.2.1" {
			t.Error(r)
		}
		if r := d.ask("www.example.com", dns.TypeA); r.Authoritative || len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
			t.Error(r)
		}
	}
	if n := up.Count(""); n != 2 {
		t.Errorf("a server was asked %d times for 2 names outside of the zones", n)
	}
	// Strangers get the zones, are told that there is no recursion for them, and get nothing else.
	stranger := dialFrom(t, "udp", "127.0.0.2", d.addr)
	for name, want := range map[string]int{"www.example.org.": dns.RcodeSuccess, "away.example.org.": dns.RcodeSuccess, "nothing.example.org.": dns.RcodeNameError, "www.example.com.": dns.RcodeRefused} {
		if err := stranger.WriteMsg(question(name, dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		r, err := stranger.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		zoneFlags{aa: want != dns.RcodeRefused}.check(t, "a stranger's "+name, r, true)
		if r.Rcode != want || name == "away.example.org." && len(r.Answer) != 1 {
			t.Errorf("a stranger's %s: %v", name, r)
		}
	}
}

// A zone that comes with a reload covers what the cache has, above and below the delegation that it holds; a
// zone that goes gives it back.
func TestZonesBeforeTheCache(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	resolver := forward(".", up)
	d := start(t, resolver)
	names := []string{"www.example.org.", "www.sub.example.org.", "www.kid.example.org.", "www.example.com."}
	resolved := func(when string) {
		t.Helper()
		for _, name := range names {
			r := d.ask(name, dns.TypeA)
			zoneFlags{ra: true}.check(t, name+" "+when, r, true)
			if len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" || up.Count(name) != 1 {
				t.Errorf("%s %s: %v, the server was asked %d times", name, when, r, up.Count(name))
			}
		}
	}
	resolved("before")
	// kid.example.org. is delegated by the zone, and not served here.
	d.write(resolver + zoneFile(t, "example.org.", orgZone))
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatal(out)
	}
	for _, rd := range []bool{true, false} {
		ask := func(name string, qtype uint16) *dns.Msg {
			q := question(name, qtype)
			q.RecursionDesired = rd
			return d.exchange(q, "udp")
		}
		if r := ask("www.example.org.", dns.TypeA); !r.Authoritative || len(r.Answer) != 2 {
			t.Errorf("RD %v: the zone's own: %v", rd, r)
		}
		for _, name := range []string{"www.sub.example.org.", "www.kid.example.org.", "kid.example.org."} {
			if r := ask(name, dns.TypeA); r.Authoritative || len(r.Answer) != 0 || len(r.Ns) == 0 || r.Ns[0].Header().Rrtype != dns.TypeNS || r.Rcode != dns.RcodeSuccess {
				t.Errorf("RD %v: below a delegation: %v", rd, r)
			}
		}
		if r := ask("sub.example.org.", dns.TypeDS); !r.Authoritative || textOf(r.Answer) != orgDS {
			t.Errorf("RD %v: DS: %v", rd, r)
		}
		if r := ask("www.example.com.", dns.TypeA); r.Authoritative || len(r.Answer) != 1 {
			t.Errorf("RD %v: outside: %v", rd, r)
		}
	}
	d.write(resolver)
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatal(out)
	}
	resolved("after")
}

// Special names are a resolver's matter; a zone of such a name is served all the same.
func TestZonesBeforeSpecialNames(t *testing.T) {
	t.Parallel()
	text := "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.5\nwww 60 A 192.0.2.6\n"
	d := start(t, forward(".", newUpstream(t, nil))+zoneFile(t, "test.", text)+zoneFile(t, "168.192.in-addr.arpa.", text))
	for _, zone := range []string{"test.", "168.192.in-addr.arpa."} {
		if r := d.ask("www."+zone, dns.TypeA); !r.Authoritative || len(r.Answer) != 1 || !r.Answer[0].(*dns.A).A.Equal(net.IPv4(192, 0, 2, 6)) {
			t.Error(r)
		}
	}
	if r := d.ask("x.invalid.", dns.TypeA); r.Authoritative && len(r.Answer) > 0 || r.Rcode != dns.RcodeNameError {
		t.Error(r)
	}
}

// The root zone makes everything ours; a zone below it, and nothing else, comes before it.
func TestServesTheRootZone(t *testing.T) {
	t.Parallel()
	root := ". 60 SOA a.root. host. 1 2 3 4 5\n. 60 NS a.root.\na.root. 60 A 192.0.2.5\norg. 60 NS ns.example.org.\nns.example.org. 60 A 192.0.2.7\n"
	d := start(t, authoritativeOnly+zoneFile(t, ".", root)+zoneFile(t, "example.org.", orgZone))
	for _, want := range []zoneAnswer{
		{".", dns.TypeNS, 0, true, ". NS a.root.", "", "a.root. A 192.0.2.5"},
		{"a.root.", dns.TypeA, 0, true, "a.root. A 192.0.2.5", "", ""},
		{"nothing.", dns.TypeA, dns.RcodeNameError, true, "", ". SOA a.root. host. 1 2 3 4 5", ""},
		{"x.org.", dns.TypeA, 0, false, "", "org. NS ns.example.org.", "ns.example.org. A 192.0.2.7"},
		{"www.example.org.", dns.TypeA, 0, true, "www.example.org. A 192.0.2.1|www.example.org. A 192.0.2.2", "", ""},
	} {
		want.check(t, d.ask(want.name, want.qtype))
	}
}
