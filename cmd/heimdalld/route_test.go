package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/control"
)

// publicAliases answers as a public resolver would that has aliases into zones which are private elsewhere: www.KIND.pub.
// leads to h.priv.test., and is followed by what the kind says of that.
func publicAliases(w dns.ResponseWriter, q *dns.Msg) {
	name := strings.ToLower(q.Question[0].Name)
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable = true
	alias := record("%s 600 IN CNAME h.priv.alpha.", q.Question[0].Name)
	public := record("%s 600 IN A 203.0.113.66", "h.priv.alpha.")
	soa := record("%s 600 IN SOA ns.alpha. h.alpha. 1 2 3 4 600", "alpha.")
	switch {
	case strings.HasSuffix(name, ".bare.pub."):
		r.Answer = []dns.RR{alias}
	case strings.HasSuffix(name, ".public.pub."):
		r.Answer = []dns.RR{alias, public}
	case strings.HasSuffix(name, ".denied.pub."):
		r.Answer, r.Ns, r.Rcode = []dns.RR{alias}, []dns.RR{soa}, dns.RcodeNameError
	case strings.HasSuffix(name, ".empty.pub."):
		r.Answer, r.Ns = []dns.RR{alias}, []dns.RR{soa}
	default:
		answerA(w, q)
		return
	}
	w.WriteMsg(r)
}

const privZone = "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.5\nh 60 A 10.0.0.1\nout 60 CNAME www.elsewhere.\nsub 60 NS ns\n"

// What an alias leads to is told by who is configured for it, whatever the server says that has the alias, and the
// cache forgets it with a reload that changes that.
func TestAliasesFollowTheConfiguration(t *testing.T) {
	t.Parallel()
	public := newUpstream(t, publicAliases)
	private := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.Authoritative = true
		r.Answer = []dns.RR{record("%s 600 IN A 10.0.0.2", q.Question[0].Name)}
		w.WriteMsg(r)
	})
	path := writeFile(t, "zone", privZone)
	base := forward(".", public)
	d := start(t, base)
	ask := func(what, want string) {
		t.Helper()
		for _, kind := range []string{"bare", "public", "denied", "empty"} {
			name := "www." + kind + ".pub."
			r := d.ask(name, dns.TypeA)
			if got := textOf(r.Answer); got != "h.priv.alpha. A "+want+"|"+name+" CNAME h.priv.alpha." || r.Rcode != 0 || r.Authoritative {
				t.Errorf("%s, %s: %v", what, kind, r)
			}
		}
	}
	reload := func(more string) {
		t.Helper()
		d.write(base + more)
		if out, code := d.ctl("reload"); code != 0 {
			t.Fatal(out)
		}
	}
	d.ask("www.other.pub.", dns.TypeA)
	if r := d.ask("www.public.pub.", dns.TypeA); len(r.Answer) != 2 {
		t.Error(r)
	}
	reload(forward("priv.alpha.", private))
	ask("a forward zone", "10.0.0.2")
	reload(zoneTable("priv.alpha.", path))
	ask("a zone", "10.0.0.1")
	replaceZone(t, path, strings.ReplaceAll(privZone, "10.0.0.1", "10.0.0.3"))
	if out, code := d.ctl("zone", "reload", "priv.alpha."); code != 0 {
		t.Fatal(out)
	}
	ask("a new version of it", "10.0.0.3")
	reload(strings.Replace(forward("priv.alpha.", private), "forward", "stub", 1))
	ask("a stub zone", "10.0.0.2")
	if r := d.ask("www.other.pub.", dns.TypeA); len(r.Answer) != 1 || public.Count("www.other.pub.") != 1 {
		t.Errorf("a name that none of this is about was asked for %d times", public.Count("www.other.pub."))
	}
	if n := public.Count("h.priv.alpha."); n != 0 && n != 2 { // while nobody else was configured
		t.Errorf("the public server was asked %d times for the private name", n)
	}
}

// Below a zone that is served here others may be asked: of several zones the longest counts.
func TestForwardBelowZone(t *testing.T) {
	t.Parallel()
	public, private := newUpstream(t, publicAliases), newUpstream(t, nil)
	d := start(t, "[recursion]\nallow = [\"127.0.0.1/32\"]\n"+forward(".", public)+forward("cloud.priv.alpha.", private)+
		zoneFile(t, "priv.alpha.", privZone+"in 60 CNAME db.cloud\ndb.cloud 60 A 203.0.113.66\n"))
	for _, c := range []struct{ name, want string }{
		{"db.cloud.priv.alpha.", "db.cloud.priv.alpha. A 192.0.2.1"},
		{"in.priv.alpha.", "db.cloud.priv.alpha. A 192.0.2.1|in.priv.alpha. CNAME db.cloud.priv.alpha."},
		{"h.priv.alpha.", "h.priv.alpha. A 10.0.0.1"},
		{"out.priv.alpha.", "out.priv.alpha. CNAME www.elsewhere.|www.elsewhere. A 192.0.2.1"},
	} {
		for range 2 {
			if r := d.ask(c.name, dns.TypeA); textOf(r.Answer) != c.want {
				t.Errorf("%s: %v", c.name, r)
			}
		}
	}
	stranger := dialFrom(t, "udp", "127.0.0.2", d.addr)
	for name, want := range map[string]int{"db.cloud.priv.alpha.": dns.RcodeRefused, "in.priv.alpha.": dns.RcodeSuccess} {
		if err := stranger.WriteMsg(question(name, dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if r, err := stranger.ReadMsg(); err != nil || r.Rcode != want || textOf(r.Answer) != map[bool]string{true: "in.priv.alpha. CNAME db.cloud.priv.alpha."}[want == 0] {
			t.Errorf("a stranger's %s: %v %v", name, err, r)
		}
	}
	if n := private.Count("db.cloud.priv.alpha."); n != 1 {
		t.Errorf("the server of the forward zone was asked %d times", n)
	}
}

// Names with private addresses are answered here below a forward zone for everything, and left to one of their own, as
// the manual says.
func TestPrivateReverseNames(t *testing.T) {
	t.Parallel()
	up, own := newUpstream(t, nil), newUpstream(t, nil)
	d := start(t, forward(".", up)+forward("arpa.", up)+forward("10.in-addr.arpa.", own)+strings.Replace(forward("1.168.192.in-addr.arpa.", own), "forward", "stub", 1))
	for name, want := range map[string]*upstream{
		"1.2.16.172.in-addr.arpa.": nil, "1.2.168.192.in-addr.arpa.": nil, "1.0.0.127.in-addr.arpa.": nil, "168.192.in-addr.arpa.": nil,
		"4.3.2.10.in-addr.arpa.": own, "10.in-addr.arpa.": own, "9.1.168.192.in-addr.arpa.": own, "8.8.8.8.in-addr.arpa.": up,
	} {
		before, ownBefore := up.Count(""), own.Count("")
		d.ask(name, dns.TypeA)
		if got := up.Count("") - before; got > 0 != (want == up) {
			t.Errorf("%s: the server for all names was asked %d times", name, got)
		}
		if got := own.Count("") - ownBefore; got > 0 != (want == own) {
			t.Errorf("%s: the server of its own was asked %d times", name, got)
		}
	}
}

// A trace asks others only what a client's query would have asked.
func TestTraceOfWhatIsAnsweredHere(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, "[recursion]\nallow = [\"127.0.0.0/8\"]\n"+forward(".", up)+zoneFile(t, "priv.alpha.", privZone))
	d.ask("cached.example.", dns.TypeA)
	for _, c := range []struct {
		args, route, answer string
		rcode               string
		queries             int
	}{
		{"h.priv.alpha. A", "zone priv.alpha.", "10.0.0.1", "NOERROR", 0},
		{"nothing.priv.alpha. A", "zone priv.alpha.", "", "NXDOMAIN", 0},
		{"out.priv.alpha. A", "alias leads elsewhere", "192.0.2.1", "NOERROR", 1},
		{"localhost. A", "special name", "127.0.0.1", "NOERROR", 0},
		{"4.3.2.10.in-addr.arpa. PTR", "special name", "", "NXDOMAIN", 0},
		{"cached.example. A", "forward zone .", "192.0.2.1", "NOERROR", 1},
		{"www.example. A --client 127.0.0.9", "forward zone .", "192.0.2.1", "NOERROR", 1},
		{"www.example. A --client 192.0.2.9", "recursion.allow", "", "REFUSED", 0},
	} {
		var trace control.Trace
		before := up.Count("")
		d.ctlTrace(&trace, c.args)
		if !strings.Contains(trace.Route, c.route) || trace.Rcode != c.rcode || trace.Queries != c.queries || up.Count("")-before != c.queries || len(trace.Steps) == 0 {
			t.Errorf("%s: %+v, and the server was asked %d times", c.args, trace, up.Count("")-before)
		}
		if n := len(trace.Answer); (n > 0) != (c.answer != "") || n > 0 && !strings.HasSuffix(trace.Answer[n-1], c.answer) {
			t.Errorf("%s: answer %v", c.args, trace.Answer)
		}
		if strings.HasPrefix(c.args, "cached") && !strings.Contains(trace.Cached, "NOERROR for ") {
			t.Errorf("%s: the cache has %q", c.args, trace.Cached)
		}
	}
}

// ctlTrace runs heimdallctl -json trace, whose exit code may tell of a refusal.
func (d *daemon) ctlTrace(v *control.Trace, args string) {
	d.t.Helper()
	out, _ := d.ctl(append([]string{"-json", "trace"}, strings.Fields(args)...)...)
	if err := json.NewDecoder(strings.NewReader(out)).Decode(v); err != nil {
		d.t.Fatalf("trace %s: %v: %s", args, err, out)
	}
}
