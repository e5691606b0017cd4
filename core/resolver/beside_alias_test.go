package resolver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// A CNAME record and others at one name of a signed zone, against RFC 1034, section 3.6.2: who asks for a type that is there
// gets it, in whatever order the server sends both, and all others are led on; what is known of the one does not hide the
// other for ever, and nothing of it is a failure.
func TestDataBesideAlias(t *testing.T) {
	both := []string{"both.example.test. 3600 CNAME www.example.test.", "both.example.test. 3600 A 198.51.100.77"}
	sends := map[string]func(z *signedZone, r *dns.Msg){
		"what is asked for": func(*signedZone, *dns.Msg) {},
		"CNAME first": func(z *signedZone, r *dns.Msg) {
			r.Answer = z.sign(z.sign(nil, "both.example.test.", z.at("both.example.test.", dns.TypeCNAME)...), "both.example.test.", z.at("both.example.test.", dns.TypeA)...)
		},
		"CNAME last": func(z *signedZone, r *dns.Msg) {
			r.Answer = z.sign(z.sign(nil, "both.example.test.", z.at("both.example.test.", dns.TypeA)...), "both.example.test.", z.at("both.example.test.", dns.TypeCNAME)...)
		},
		"CNAME without signature": func(z *signedZone, r *dns.Msg) {
			r.Answer = append(z.at("both.example.test.", dns.TypeCNAME), z.sign(nil, "both.example.test.", z.at("both.example.test.", dns.TypeA)...)...)
		},
		"address without signature": func(z *signedZone, r *dns.Msg) {
			r.Answer = append(z.at("both.example.test.", dns.TypeA), z.sign(nil, "both.example.test.", z.at("both.example.test.", dns.TypeCNAME)...)...)
		},
	}
	for what, send := range sends {
		w := newSignedWorld(t, nil)
		z := w.zones["example.test."]
		for _, text := range both {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			z.records = append(z.records, rr)
		}
		w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
			if q := r.Question[0]; strings.EqualFold(q.Name, "both.example.test.") && q.Qtype == dns.TypeA {
				send(z, r)
			}
		}
		direct, led := "both.example.test. A 198.51.100.77", "both.example.test. CNAME www.example.test.; www.example.test. A 198.51.100.1"
		if what == "address without signature" {
			direct = led
		}
		ask := func(order string, typ wire.Type, wants ...string) {
			t.Helper()
			a, m := w.resolve(question("both.example.test.", typ))
			for _, want := range wants {
				if m.Rcode == 0 && a.AD && lines(m.Answer) == want {
					return
				}
			}
			t.Errorf("%s, %s: %v %v, AD %v: %s (%s)", what, order, typ, m.Rcode, a.AD, lines(m.Answer), a.EDEText)
		}
		alias := "both.example.test. CNAME www.example.test."
		ask("address first", wire.TypeA, direct)
		ask("address first", wire.TypeTXT, alias)
		ask("address first", wire.TypeCNAME, alias)
		ask("address first", wire.TypeA, direct, led)
		w.run(2 * time.Hour)
		ask("alias first", wire.TypeTXT, alias)
		ask("alias first", wire.TypeA, direct, led)
		ask("alias first", wire.TypeCNAME, alias)
		w.run(2 * time.Hour)
		ask("again", wire.TypeA, direct)
		w.idle()
	}

	// The signature of the alias alone leads nowhere: it hides neither itself from who asks for it nor data without one.
	w := newSignedWorld(t, nil)
	sigs := w.zones["example.test."].sign(nil, "alias.example.test.", w.zones["example.test."].at("alias.example.test.", dns.TypeCNAME)...)[1:]
	stray := dns.Copy(sigs[0])
	stray.Header().Name = "www.plain.test."
	w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
		switch q := r.Question[0]; {
		case strings.EqualFold(q.Name, "alias.example.test.") && q.Qtype == dns.TypeRRSIG:
			r.Answer = sigs
		case zone == "plain.test." && q.Qtype == dns.TypeA:
			r.Answer = append(r.Answer, stray)
		}
	}
	if a, m := w.resolve(question("alias.example.test.", wire.TypeRRSIG)); m.Rcode != 0 || len(m.Answer) != 1 || m.Answer[0].Header().Rrtype != dns.TypeRRSIG {
		t.Errorf("RRSIG: %v: %s (%s)", m.Rcode, lines(m.Answer), a.EDEText)
	}
	if a, m := w.resolve(question("www.plain.test.", wire.TypeA)); m.Rcode != 0 || lines(m.Answer) != "www.plain.test. A 198.51.100.3" {
		t.Errorf("signature of no alias: %v: %s (%s)", m.Rcode, lines(m.Answer), a.EDEText)
	}
	w.idle()
}

// What says that a name has an alias proves nothing about other types there, nor about names below it, out of the cache neither.
func TestDenialOfAnAlias(t *testing.T) {
	for _, extra := range []uint16{dns.TypeNone, dns.TypeA} {
		w := newSignedWorld(t, nil)
		z := w.zones["example.test."]
		w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
			if q := r.Question[0]; strings.EqualFold(q.Name, "alias.example.test.") && q.Qtype == dns.TypeTXT {
				r.Answer, r.Ns = nil, nil
				r.Ns = z.sign(r.Ns, z.name, z.at(z.name, dns.TypeSOA)...)
				rr := z.nsec("alias.example.test.").(*dns.NSEC)
				if extra != dns.TypeNone {
					rr.TypeBitMap = append([]uint16{extra}, rr.TypeBitMap...)
				}
				z.sigs = map[string]*dns.RRSIG{}
				r.Ns = z.sign(r.Ns, rr.Hdr.Name, rr)
				z.sigs = map[string]*dns.RRSIG{}
			}
		}
		if a, m := w.resolve(question("alias.example.test.", wire.TypeTXT)); m.Rcode != dns.RcodeServerFailure || a.EDE != wire.EDEBogus {
			t.Errorf("extra %d: %v, AD %v (%s)", extra, m.Rcode, a.AD, a.EDEText)
		}
		if a, m := w.resolve(question("alias.example.test.", wire.TypeA)); m.Rcode != 0 || !a.AD || len(m.Answer) != 2 {
			t.Errorf("extra %d: %v, AD %v: %s (%s)", extra, m.Rcode, a.AD, lines(m.Answer), a.EDEText)
		}
		w.tamper = nil
		// NSEC records of the alias that are genuine and kept deny no type at it.
		w.resolve(question("alias0.example.test.", wire.TypeA))
		for n, typ := range []wire.Type{wire.TypeMX, wire.TypeAAAA, wire.TypeTXT} {
			if a, m := w.resolve(question("alias.example.test.", typ)); m.Rcode != 0 || a.Failed || !strings.HasPrefix(lines(m.Answer), "alias.example.test. CNAME") {
				t.Errorf("extra %d: %v: %v: %s (%s)", extra, typ, m.Rcode, lines(m.Answer), fmt.Sprint(n, a.EDEText))
			}
		}
		w.idle()
	}
}
