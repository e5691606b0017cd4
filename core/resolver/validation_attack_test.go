package resolver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// attacks are what who has no key of a zone may send in place of its answers, or who has one of another zone: genuine records
// and signatures where they do not belong, and own ones in others' names. None of it is believed, and a denial of what there is
// is no answer.
var attacks = []struct {
	what  string
	name  string
	typ   wire.Type
	forge func(w *signedWorld, r *dns.Msg)
	rcode int
	ad    bool
	ede   wire.EDE
}{
	// RFC 6840, section 4.1: NSEC records of the parent at a zone cut.
	{"the parent's NSEC denies types of the child", "example.test.", wire.TypeMX, func(w *signedWorld, r *dns.Msg) {
		r.Answer, r.Ns = nil, nil
		w.zones["example.test."].soa(r)
		w.zones["test."].prove(r, "example.test.")
	}, dns.RcodeServerFailure, false, wire.EDENSECMissing},
	{"the parent's NSEC denies names of the child", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		r.Answer, r.Ns, r.Rcode = nil, nil, dns.RcodeNameError
		w.zones["test."].soa(r)
		w.zones["test."].prove(r, "example.test.", "test.")
	}, dns.RcodeServerFailure, false, wire.EDENoReachableAuthority},
	{"the child's NSEC denies its DS records", "example.test.", wire.TypeDS, func(w *signedWorld, r *dns.Msg) {
		r.Answer, r.Ns = nil, nil
		w.zones["example.test."].deny(r, "example.test.")
	}, dns.RcodeServerFailure, false, wire.EDERRSIGsMissing},
	{"the child signs its own DS records", "example.test.", wire.TypeDS, func(w *signedWorld, r *dns.Msg) {
		z := w.zones["example.test."]
		r.Answer = z.sign(nil, z.name, z.key.ToDS(dns.SHA256))
	}, dns.RcodeServerFailure, false, wire.EDERRSIGsMissing},
	// RFC 4035, section 5.3.1: the signer is the zone that has the RRset.
	{"a sibling signs", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		r.Answer = w.zones["sibling.test."].sign(nil, "www.example.test.", w.zones["example.test."].at("www.example.test.", dns.TypeA)...)
	}, dns.RcodeServerFailure, false, wire.EDERRSIGsMissing},
	{"a sibling signs in the zone's name", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		r.Answer = append(unsigned(r.Answer), w.zones["sibling.test."].signAs("example.test.", unsigned(r.Answer)))
	}, dns.RcodeServerFailure, false, wire.EDEDNSKEYMissing},
	{"a zone below signs that is none", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		r.Answer = append(unsigned(r.Answer), w.zones["sibling.test."].signAs("www.example.test.", unsigned(r.Answer)))
	}, dns.RcodeServerFailure, false, wire.EDERRSIGsMissing},
	{"a sibling's NSEC denies", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		r.Answer, r.Ns, r.Rcode = nil, nil, dns.RcodeNameError
		w.zones["example.test."].soa(r)
		w.zones["sibling.test."].prove(r, "sibling.test.")
	}, dns.RcodeServerFailure, false, wire.EDENSECMissing},
	// RFC 4035, section 5.3.4: no closer name than the wildcard's encloser.
	{"a wildcard above the closest encloser", "b.sub.wild.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		z := w.zones["example.test."]
		r.Answer, r.Ns, r.Rcode = z.sign(nil, "b.sub.wild.example.test.", z.at("*.wild.example.test.", dns.TypeA)...), nil, 0
		z.prove(r, "b.sub.wild.example.test.")
	}, dns.RcodeServerFailure, false, wire.EDENSECMissing},
	{"a wildcard for a name that there is", "a.sub.wild.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		z := w.zones["example.test."]
		r.Answer, r.Ns = z.sign(nil, "a.sub.wild.example.test.", z.at("*.wild.example.test.", dns.TypeA)...), nil
		z.prove(r, "a.sub.wild.example.test.", "*.wild.example.test.")
	}, dns.RcodeServerFailure, false, wire.EDENSECMissing},
	{"a wildcard's NSEC at another name", "y.wild.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		z := w.zones["example.test."]
		r.Answer, r.Ns, r.Rcode = nil, nil, 0
		z.soa(r)
		rr := z.nsec("*.wild.example.test.")
		r.Ns = z.sign(r.Ns, "y.wild.example.test.", rr)
	}, dns.RcodeServerFailure, false, wire.EDENSECMissing},
	{"no wildcard is denied", "none.wild.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		r.Answer, r.Ns, r.Rcode = nil, nil, dns.RcodeNameError
		w.zones["example.test."].deny(r, "none.wild.example.test.")
	}, dns.RcodeServerFailure, false, wire.EDENSECMissing},
	// RFC 4034, section 3.1.3.
	{"labels lowered to those of a wildcard", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		for _, rr := range r.Answer {
			if sig, ok := rr.(*dns.RRSIG); ok {
				sig = dns.Copy(sig).(*dns.RRSIG)
				sig.Labels = 2
				r.Answer = append(unsigned(r.Answer), sig)
			}
		}
	}, dns.RcodeServerFailure, false, wire.EDEBogus},
	// RFC 4035, section 5.2, and RFC 6840, section 5.11: the zone has a DS record of an algorithm that is known.
	{"only signatures by an unknown algorithm", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		for _, rr := range r.Answer {
			if sig, ok := rr.(*dns.RRSIG); ok {
				sig = dns.Copy(sig).(*dns.RRSIG)
				sig.Algorithm = 200
				r.Answer = append(unsigned(r.Answer), sig)
			}
		}
	}, dns.RcodeServerFailure, false, wire.EDEUnsupportedAlgorithm},
	{"keys of an unknown algorithm only", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		if r.Question[0].Qtype != dns.TypeDNSKEY || !strings.EqualFold(r.Question[0].Name, "example.test.") {
			return
		}
		key := *w.zones["example.test."].key
		key.Algorithm = 200
		sig := w.zones["example.test."].signAs("example.test.", []dns.RR{&key}).(*dns.RRSIG)
		sig.Algorithm, sig.KeyTag = 200, key.KeyTag()
		r.Answer = []dns.RR{&key, sig}
	}, dns.RcodeServerFailure, false, wire.EDEDNSKEYMissing},
	// RFC 6672, section 5.3.1.
	{"a CNAME that does not follow from its DNAME", "x.old.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		for i, rr := range r.Answer {
			if c, ok := rr.(*dns.CNAME); ok {
				c = dns.Copy(c).(*dns.CNAME)
				c.Target = "www.plain.test."
				r.Answer[i] = c
			}
		}
	}, 0, true, 0},
	// What stands at a DNAME record, itself it does not redirect (RFC 6672, section 2.4).
	{"no address at a DNAME", "old.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {}, 0, true, 0},
	// RFC 4034, section 6.2, and RFC 4343: letter case is nothing.
	{"mixed letter case", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		for i, rr := range r.Answer {
			rr = dns.Copy(rr)
			rr.Header().Name = "wWw.eXample.TEST."
			if sig, ok := rr.(*dns.RRSIG); ok {
				sig.SignerName = "EXAMPLE.test."
			}
			r.Answer[i] = rr
		}
	}, 0, true, 0},
	{"the same record twice", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		r.Answer = append(r.Answer[:1:1], r.Answer...)
	}, 0, true, 0},
	{"a record more", "www.example.test.", wire.TypeA, func(w *signedWorld, r *dns.Msg) {
		more := dns.Copy(r.Answer[0]).(*dns.A)
		more.A = []byte{203, 0, 113, 66}
		r.Answer = append(r.Answer, more)
	}, dns.RcodeServerFailure, false, wire.EDEBogus},
}

// soa appends the SOA record with its signature.
func (z *signedZone) soa(r *dns.Msg) { r.Ns = z.sign(r.Ns, z.name, z.at(z.name, dns.TypeSOA)...) }

// signAs makes a signature with z's key in the name of another zone.
func (z *signedZone) signAs(signer string, set []dns.RR) dns.RR {
	sig := &dns.RRSIG{
		Hdr: dns.RR_Header{Name: set[0].Header().Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: 3600}, Algorithm: z.key.Algorithm,
		KeyTag: z.key.KeyTag(), SignerName: signer, Inception: uint32(signedAt - 86400*30), Expiration: uint32(signedAt + 86400*30),
	}
	if err := sig.Sign(z.private, set); err != nil {
		panic(err)
	}
	return sig
}

// newAttackedWorld is newSignedWorld with what the attacks need: sibling.test., and a name below the wildcard.
func newAttackedWorld(t testing.TB, forwarded bool) *signedWorld {
	var w *signedWorld
	if forwarded {
		w = newForwardedWorld(t, func(q, r *dns.Msg) {
			if w.tamper != nil {
				w.tamper("", addr("192.0.2.53"), r)
			}
		}, nil)
	} else {
		w = newSignedWorld(t, nil)
	}
	sibling := newZone(t, "sibling.test.", true, "sibling.test. 3600 NS ns.sibling.test.", "ns.sibling.test. 3600 A 192.0.2.6")
	w.zones[sibling.name] = sibling
	parent := w.zones["test."]
	parent.records = append(parent.records, sibling.records[0], sibling.records[1])
	parent.delegate(sibling)
	w.servers[addr("192.0.2.6")] = func(q sent) []reply { return []reply{{msg: sibling.answer(q.msg)}} }
	rr, err := dns.NewRR("a.sub.wild.example.test. 3600 TXT there")
	if err != nil {
		t.Fatal(err)
	}
	z := w.zones["example.test."]
	z.records = append(z.records, rr)
	return w
}

func TestForgedInASignedZone(t *testing.T) {
	for n := range 2 * len(attacks) {
		x, forwarded := attacks[n/2], n%2 == 1
		w := newAttackedWorld(t, forwarded)
		w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
			q := r.Question[0]
			keys := q.Qtype == dns.TypeDNSKEY && strings.Contains(x.what, "keys of")
			if strings.EqualFold(q.Name, x.name) && q.Qtype == uint16(x.typ) && (r.Authoritative || forwarded) || keys {
				x.forge(w, r)
			}
		}
		for _, do := range []bool{false, true} {
			q := question(x.name, x.typ)
			q.DO = do
			a, m := w.resolve(q)
			if m.Rcode != x.rcode || a.AD != x.ad || a.Failed && a.EDE != x.ede && !forwarded || strings.Contains(lines(m.Answer), "203.0.113.66") || strings.Contains(lines(m.Answer), "plain") {
				t.Errorf("%s, forwarded %v: %v, AD %v, EDE %d (%s), want %v, AD %v, EDE %d: %s", x.what, forwarded, m.Rcode, a.AD, a.EDE, a.EDEText, x.rcode, x.ad, x.ede, lines(m.Answer))
			}
		}
		// What was forged is not kept.
		w.tamper = nil
		w.run(10 * time.Minute)
		for _, name := range []string{"www.example.test.", "a.sub.wild.example.test."} {
			if a, m := w.resolve(question(name, wire.TypeA)); m.Rcode != 0 || !a.AD {
				t.Errorf("%s, forwarded %v: afterwards %s: %v, AD %v (%s)", x.what, forwarded, name, m.Rcode, a.AD, a.EDEText)
			}
		}
		w.idle()
	}
}

// A TTL is bounded by the signature's own, and by its end (RFC 4035, section 5.3.3); signatures that have ended, or not begun,
// are none, but for what clocks may differ.
func TestTimesOfSignatures(t *testing.T) {
	for _, x := range []struct {
		begins, ends int64 // from now on
		ttl          uint32
		rcode        int
		ede          wire.EDE
		most         uint32 // TTL of the answer
	}{
		{-86400, 86400, 86400 * 7, 0, 0, 3600},
		{-86400, 40, 3600, 0, 0, 40},
		{-86400, -60, 3600, 0, 0, 60},
		{60, 86400, 3600, 0, 0, 3600},
		{-864000, -100000, 3600, dns.RcodeServerFailure, wire.EDESignatureExpired, 0},
		{100000, 864000, 3600, dns.RcodeServerFailure, wire.EDESignatureNotYetValid, 0},
		{864000, -864000, 3600, dns.RcodeServerFailure, wire.EDESignatureNotYetValid, 0},
		// RFC 1982: more than 2^31 seconds after the beginning is before it.
		{-86400, 1 << 31, 3600, dns.RcodeServerFailure, wire.EDESignatureNotYetValid, 0},
	} {
		w := newSignedWorld(t, nil)
		z := w.zones["example.test."]
		w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
			if len(r.Answer) == 0 || r.Question[0].Qtype != dns.TypeA || zone != z.name {
				return
			}
			set := unsigned(r.Answer)
			sig := &dns.RRSIG{
				Hdr: dns.RR_Header{Name: set[0].Header().Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: x.ttl}, Algorithm: z.key.Algorithm, KeyTag: z.key.KeyTag(),
				SignerName: z.name, Inception: uint32(signedAt + x.begins), Expiration: uint32(signedAt + x.ends),
			}
			if err := sig.Sign(z.private, set); err != nil {
				t.Fatal(err)
			}
			set[0] = dns.Copy(set[0])
			set[0].Header().Ttl = x.ttl
			r.Answer = append(set, sig)
		}
		a, m := w.resolve(question("www.example.test.", wire.TypeA))
		if m.Rcode != x.rcode || a.AD != (x.rcode == 0) || a.Failed && a.EDE != x.ede {
			t.Errorf("from %d to %d: %v, AD %v, EDE %d (%s)", x.begins, x.ends, m.Rcode, a.AD, a.EDE, a.EDEText)
		}
		for _, rr := range m.Answer {
			if rr.Header().Ttl > x.most {
				t.Errorf("from %d to %d, TTL %d: the answer has %d", x.begins, x.ends, x.ttl, rr.Header().Ttl)
			}
		}
		w.idle()
	}
}

// Records of the parent's at a zone cut, which are kept for what they deny, deny nothing of the child's (RFC 8198 with RFC
// 6840, section 4.1).
func TestParentsDenialIsKept(t *testing.T) {
	w := newAttackedWorld(t, false)
	for _, name := range []string{"example0.test.", "dxample.test.", "sibling0.test.", "plain0.test."} {
		if a, m := w.resolve(question(name, wire.TypeA)); m.Rcode != dns.RcodeNameError || !a.AD {
			t.Fatalf("%s: %v, AD %v (%s)", name, m.Rcode, a.AD, a.EDEText)
		}
	}
	for _, x := range []struct {
		name string
		typ  wire.Type
		ad   bool
	}{
		{"www.example.test.", wire.TypeA, true}, {"example.test.", wire.TypeSOA, true}, {"example.test.", wire.TypeNS, true},
		{"www.plain.test.", wire.TypeA, false}, {"plain.test.", wire.TypeSOA, false}, {"sibling.test.", wire.TypeNS, true},
	} {
		if a, m := w.resolve(question(x.name, x.typ)); m.Rcode != 0 || a.AD != x.ad || len(m.Answer) == 0 {
			t.Errorf("%s %v: %v, AD %v, %s (%s)", x.name, x.typ, m.Rcode, a.AD, lines(m.Answer), a.EDEText)
		}
	}
	w.idle()
}

// Keys that are no zone keys, not for DNSSEC or revoked sign nothing, though the DS record is theirs.
func TestKeysThatSignNothing(t *testing.T) {
	for _, x := range []struct {
		what     string
		flags    uint16
		protocol uint8
		ede      wire.EDE
		rcode    int
	}{
		{what: "no zone key", flags: 1, protocol: 3, rcode: dns.RcodeServerFailure, ede: wire.EDENoZoneKeyBitSet},
		{what: "another protocol", flags: 257, protocol: 2, rcode: dns.RcodeServerFailure, ede: wire.EDEBogus},
		{what: "revoked", flags: 257 | 128, protocol: 3, rcode: dns.RcodeServerFailure, ede: wire.EDEDNSKEYMissing},
		{what: "as it should be", flags: 257, protocol: 3},
	} {
		w := newSignedWorld(t, nil)
		z := w.zones["example.test."]
		z.key.Flags, z.key.Protocol = x.flags, x.protocol
		parent := w.zones["test."]
		parent.records = slices.DeleteFunc(parent.records, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeDS })
		parent.delegate(z)
		a, m := w.resolve(question("www.example.test.", wire.TypeA))
		if m.Rcode != x.rcode || a.AD != (x.rcode == 0) || a.Failed && a.EDE != x.ede {
			t.Errorf("%s: %v, AD %v, EDE %d (%s)", x.what, m.Rcode, a.AD, a.EDE, a.EDEText)
		}
		w.idle()
	}
}

// Answers that are made from a kept wildcard (RFC 8198, section 5.3) stop where there is a closer name.
func TestKeptWildcardStopsAtCloserNames(t *testing.T) {
	for _, forwarded := range []bool{false, true} {
		w := newAttackedWorld(t, forwarded)
		for _, x := range []struct {
			name   string
			typ    wire.Type
			rcode  int
			answer string
		}{
			{"x.wild.example.test.", wire.TypeA, 0, "198.51.100.2"},
			{"zz.wild.example.test.", wire.TypeA, 0, "198.51.100.2"},
			{"y.y.wild.example.test.", wire.TypeA, 0, "198.51.100.2"},
			{"sub.wild.example.test.", wire.TypeA, 0, ""},
			{"b.sub.wild.example.test.", wire.TypeA, dns.RcodeNameError, ""},
			{"a.sub.wild.example.test.", wire.TypeA, 0, ""},
			{"a.sub.wild.example.test.", wire.TypeTXT, 0, "there"},
			{"zzz.wild.example.test.", wire.TypeTXT, 0, ""},
			{"wild.example.test.", wire.TypeA, 0, ""},
			{"www.example.test.", wire.TypeA, 0, "198.51.100.1"},
		} {
			for range 2 {
				a, m := w.resolve(question(x.name, x.typ))
				if m.Rcode != x.rcode || !a.AD || !strings.Contains(lines(m.Answer), x.answer) || (x.answer == "") != (len(m.Answer) == 0) {
					t.Errorf("forwarded %v: %s %v: %v, AD %v, %s (%s)", forwarded, x.name, x.typ, m.Rcode, a.AD, lines(m.Answer), a.EDEText)
				}
			}
		}
		w.idle()
	}
}
