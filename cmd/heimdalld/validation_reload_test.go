package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/control"
)

// passing is a handler that answers as a forwarder which has asked the world; edit may change what it says.
func passing(w *scriptedWorld, edit func(q, r *dns.Msg)) func(to dns.ResponseWriter, q *dns.Msg) {
	return func(to dns.ResponseWriter, q *dns.Msg) {
		r := w.answer(q, true)
		if r == nil {
			return
		}
		r.Authoritative, r.RecursionDesired, r.RecursionAvailable = false, true, true
		if edit != nil {
			edit(q, r)
		}
		to.WriteMsg(r)
	}
}

// nobodysHints is a file of root hints where nobody listens.
func nobodysHints(t *testing.T) string {
	return writeFile(t, "hints", ". 3600 NS nobody.test.\nnobody.test. 3600 A 127.0.0.254\n")
}

// validating is the part of a configuration that is about validation.
func validating(on bool, hints, anchors, more string) string {
	return fmt.Sprintf("[recursion]\nroot_hints = %q\nvalidation = %v\ntrust_anchors = %q\n%s\n", hints, on, anchors, more)
}

// A reload switches validation on and off, changes its anchors, and leaves nothing in the cache that was judged otherwise.
func TestReloadSwitchesValidation(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("first %v", first), func(t *testing.T) {
			t.Parallel()
			w := newScriptedWorld(t)
			forwarder := newUpstream(t, passing(w, func(q, r *dns.Msg) {
				for _, rr := range r.Answer {
					if a, ok := rr.(*dns.A); ok && rr.Header().Name != "a0.z1.signed." {
						a.A = []byte{203, 0, 113, 66}
					}
				}
			}))
			anchors := writeFile(t, "anchors", w.public.String()+"\n")
			nobody := nobodysHints(t)
			configure := func(validation bool, more string) string {
				return validating(validation, nobody, anchors, more) + forward(".", forwarder)
			}
			d := start(t, configure(first, ""))
			reload := func(toml, key string) {
				t.Helper()
				d.write(toml)
				var r reloaded
				if d.ctlJSON(&r, "reload"); !slices.Contains(r.Applied, key) || len(r.NeedsRestart) != 0 {
					t.Errorf("%s: %+v", key, r)
				}
			}
			check := func(what, name string, rcode int, ad bool) {
				t.Helper()
				for range 2 { // out of the cache too
					q := question(name, dns.TypeA)
					q.SetEdns0(1232, false)
					q.AuthenticatedData = true
					if r := d.exchange(q, "udp"); r.Rcode != rcode || r.AuthenticatedData != ad {
						t.Errorf("%s: %s: %v", what, name, r)
					}
				}
			}
			off := func(what string) {
				t.Helper()
				check(what, "a0.z1.signed.", dns.RcodeSuccess, false)
				check(what, "a1.z1.signed.", dns.RcodeSuccess, false)
			}
			on := func(what string) {
				t.Helper()
				check(what, "a0.z1.signed.", dns.RcodeSuccess, true)
				check(what, "a1.z1.signed.", dns.RcodeServerFailure, false)
			}
			switchTo := func(validation bool, what string) {
				t.Helper()
				reload(configure(validation, ""), "recursion.validation")
				if validation {
					on(what)
				} else {
					off(what)
				}
			}
			if first {
				on("at the start")
				switchTo(false, "switched off")
			} else {
				off("at the start")
			}
			switchTo(true, "switched on")
			switchTo(false, "switched off again")
			switchTo(true, "switched on again")

			reload(configure(true, `negative_trust_anchors = ["z1.signed."]`), "recursion.negative_trust_anchors")
			off("below a negative anchor")
			on2 := configure(true, "")
			reload(on2, "recursion.negative_trust_anchors")
			on("without it")

			other := newScriptedWorld(t)
			if err := os.WriteFile(anchors, []byte(other.public.String()+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			reload(on2, "recursion.trust_anchors")
			check("with another's anchor", "a0.z1.signed.", dns.RcodeServerFailure, false)
			if err := os.WriteFile(anchors, []byte("no anchor\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, code := d.ctl("reload"); code == 0 {
				t.Errorf("with a broken file of anchors: %s", out)
			}
			if err := os.WriteFile(anchors, []byte(w.public.String()+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			reload(on2, "recursion.trust_anchors")
			on("with its anchor")
		})
	}
}

// A forwarder that removes DNSSEC is named in the log, once, in the extended error of each answer, and by heimdallctl, with
// what to do; once it is done, names resolve.
func TestForwarderThatRemovesDNSSEC(t *testing.T) {
	t.Parallel()
	w := newScriptedWorld(t)
	forwarder := newUpstream(t, passing(w, func(q, r *dns.Msg) {
		bare := func(list []dns.RR) []dns.RR {
			return slices.DeleteFunc(list, func(rr dns.RR) bool {
				typ := rr.Header().Rrtype
				return typ == dns.TypeRRSIG || typ == dns.TypeNSEC || typ == dns.TypeDNSKEY || typ == dns.TypeDS
			})
		}
		r.Answer, r.Ns = bare(r.Answer), bare(r.Ns)
	}))
	hints, anchors := nobodysHints(t), writeFile(t, "anchors", w.public.String()+"\n")
	d := start(t, validating(true, hints, anchors, "")+forward(".", forwarder))
	for n := range 20 {
		q := question(fmt.Sprintf("a%d.z%d.signed.", n/2, n/2), dns.TypeA)
		q.SetEdns0(1232, false)
		r := d.exchange(q, "udp")
		if r.Rcode != dns.RcodeServerFailure || len(r.IsEdns0().Option) != 1 {
			t.Fatalf("%v", r)
		}
		e := r.IsEdns0().Option[0].(*dns.EDNS0_EDE)
		if want := fmt.Sprintf("zone has no DNSKEY records (zone .); forwarder %s removes DNSSEC: ask another, or set recursion.validation = false", forwarder.Addr); e.InfoCode != dns.ExtendedErrorCodeDNSKEYMissing || e.ExtraText != want {
			t.Errorf("the %dth answer: %d %q, want %q", n, e.InfoCode, e.ExtraText, want)
		}
	}
	const line = "a forwarder removes DNSSEC records"
	until(t, "the line of the log", func() bool { return strings.Contains(d.log.String(), line) })
	if log := d.log.String(); strings.Count(log, line) != 1 || !strings.Contains(log, "forwarder="+forwarder.Addr.String()+" zone=. missing=\"zone has no DNSKEY records\"") {
		t.Errorf("the log says:\n%s", log)
	}
	if out, code := d.ctl("upstreams"); code != 0 || !strings.Contains(out, "removes DNSSEC: zone has no DNSKEY records (zone .); use another, or set recursion.validation = false") {
		t.Errorf("upstreams: %d, %s", code, out)
	}
	var u control.Upstreams
	if d.ctlJSON(&u, "upstreams"); len(u.Groups) != 1 || u.Groups[0].Servers[0].DNSSEC != "no" {
		t.Errorf("upstreams: %+v", u)
	}
	d.write(validating(false, hints, anchors, "") + forward(".", forwarder))
	d.ctlJSON(new(reloaded), "reload")
	if r := d.ask("a0.z0.signed.", dns.TypeA); r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 {
		t.Errorf("without validation: %v", r)
	}
}

// cache.min_ttl raises TTLs, but not those of what has been validated: RFC 4035, section 5.3.3.
func TestMinTTLOfValidatedAnswers(t *testing.T) {
	t.Parallel()
	w := newScriptedWorld(t)
	forwarder := newUpstream(t, passing(w, func(q, r *dns.Msg) {
		if q.Question[0].Name = strings.ToLower(q.Question[0].Name); strings.HasSuffix(q.Question[0].Name, ".plain.") && q.Question[0].Qtype == dns.TypeA {
			r.Answer, r.Ns = []dns.RR{record("%s 3600 IN A 192.0.2.1", q.Question[0].Name)}, nil
		}
	}))
	d := start(t, "[cache]\nmin_ttl = \"2h\"\nmax_negative_ttl = \"2h\"\n"+validating(true, nobodysHints(t), writeFile(t, "anchors", w.public.String()+"\n"), "")+forward(".", forwarder))
	for range 2 {
		for _, x := range []struct {
			name  string
			ad    bool
			least uint32
			most  uint32
		}{{"a1.z1.signed.", true, 1, 3600}, {"n1.z1.signed.", true, 1, 300}, {"www.plain.", false, 7000, 7200}} {
			q := question(x.name, dns.TypeA)
			q.AuthenticatedData = true
			r := d.exchange(q, "udp")
			records := append(r.Answer, r.Ns...)
			if len(records) == 0 || r.AuthenticatedData != x.ad {
				t.Fatalf("%v", r)
			}
			if ttl := records[0].Header().Ttl; ttl < x.least || ttl > x.most {
				t.Errorf("%s: TTL %d, want %d to %d", x.name, ttl, x.least, x.most)
			}
		}
	}
}
