package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// verify checks every signature in a response, and that what has to be signed is.
func (s *signer) verify(t *testing.T, what string, r *dns.Msg) {
	t.Helper()
	for _, section := range [][]dns.RR{r.Answer, r.Ns} {
		sets := map[string][]dns.RR{}
		sigs := map[string]*dns.RRSIG{}
		for _, rr := range section {
			h := rr.Header()
			if sig, ok := rr.(*dns.RRSIG); ok {
				sigs[h.Name+dns.TypeToString[sig.TypeCovered]] = sig
			} else if !(h.Rrtype == dns.TypeNS && h.Name != s.origin) {
				key := h.Name + dns.TypeToString[h.Rrtype]
				sets[key] = append(sets[key], rr)
			}
		}
		for key, set := range sets {
			sig := sigs[key]
			if sig == nil && set[0].Header().Rrtype == dns.TypeCNAME && slices.ContainsFunc(section, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeDNAME }) {
				continue // made from the DNAME (RFC 6672, section 5.3.1)
			}
			if sig == nil {
				t.Errorf("%s: %s is not signed:\n%v", what, key, r)
			} else if err := sig.Verify(s.key, set); err != nil {
				t.Errorf("%s: %s: %v", what, key, err)
			}
		}
		for key := range sigs {
			if sets[key] == nil {
				t.Errorf("%s: a signature without what it is over: %s", what, key)
			}
		}
	}
}

// proves tells whether the NSEC or NSEC3 records of a response match a name, or cover it, and in the former
// case returns the types that are there.
func proves(r *dns.Msg, name string) (matched, covered bool, types []uint16) {
	for _, rr := range r.Ns {
		switch n := rr.(type) {
		case *dns.NSEC:
			low, high := canonical(n.Hdr.Name, name), canonical(name, n.NextDomain)
			if low == 0 {
				matched, types = true, n.TypeBitMap
			}
			last := canonical(n.NextDomain, n.Hdr.Name) <= 0
			covered = covered || low < 0 && (high < 0 || last)
		case *dns.NSEC3:
			if n.Match(name) {
				matched, types = true, n.TypeBitMap
			}
			covered = covered || n.Cover(name)
		}
	}
	return matched, covered, types
}

const signedText = `$TTL 300
@        SOA   ns hostmaster 7 3600 600 86400 60
@        NS    ns
ns       A     192.0.2.53
www      A     192.0.2.1
www      A     192.0.2.2
a.b.c    TXT   "deep"
*.w      A     192.0.2.9
exact.w  TXT   "no wildcard here"
alias    CNAME www
starred  CNAME x.w
d        DNAME w.secure.example.
safe     NS    ns.safe
safe     DS    12345 13 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
ns.safe  A     192.0.2.60
open     NS    ns.open
ns.open  A     192.0.2.61
`

// Signed zones, with NSEC and with NSEC3: with DO, every RRset has its signature, and what does not exist its
// proof (RFC 4035, section 3.1.3; RFC 5155, section 7.2). Without DO there is nothing of all that.
func TestSignedZone(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		t.Run(map[bool]string{false: "NSEC", true: "NSEC3"}[hashed], func(t *testing.T) {
			t.Parallel()
			const origin = "secure.example."
			s := newSigner(t, origin)
			d := start(t, authoritativeOnly+zoneFile(t, origin, s.sign(t, signedText, hashed)))
			ask := func(name string, qtype uint16) *dns.Msg {
				t.Helper()
				q := question(name+origin, qtype)
				q.SetEdns0(1232, true)
				r := d.exchange(q, "udp")
				if r.Truncated {
					r = d.exchange(q, "tcp")
				}
				if r.AuthenticatedData || r.IsEdns0() == nil || !r.IsEdns0().Do() {
					t.Errorf("%s: %v", name, r)
				}
				s.verify(t, name, r)
				plain := d.ask(name+origin, qtype)
				for _, rr := range slices.Concat(plain.Answer, plain.Ns, plain.Extra) {
					if typ := rr.Header().Rrtype; typ != qtype && (typ == dns.TypeRRSIG || typ == dns.TypeNSEC || typ == dns.TypeNSEC3 || typ == dns.TypeDS) {
						t.Errorf("%s: %v without DO", name, rr)
					}
				}
				if plain.Rcode != r.Rcode || plain.Authoritative != r.Authoritative {
					t.Errorf("%s: %v without DO, %v with it", name, plain.MsgHdr, r.MsgHdr)
				}
				return r
			}
			// want says how the response speaks of names: = exists, ! does not, and /TYPE has no such type.
			proof := func(r *dns.Msg, want ...string) {
				t.Helper()
				for _, w := range want {
					name, without, _ := strings.Cut(w[1:], "/")
					matched, covered, types := proves(r, strings.TrimPrefix(name+origin, "."))
					typ := dns.StringToType[without]
					if w[0] == '=' && (!matched || without != "" && slices.Contains(types, typ)) || w[0] == '!' && !covered {
						t.Errorf("%s is not proven:\n%v", w, r)
					}
				}
			}
			if r := ask("www.", dns.TypeA); len(r.Answer) != 3 || len(r.Ns) != 0 {
				t.Error(r)
			}
			if r := ask("", dns.TypeDNSKEY); len(r.Answer) != 2 {
				t.Error(r)
			}
			if r := ask("alias.", dns.TypeA); len(r.Answer) != 5 || len(r.Ns) != 0 {
				t.Error(r)
			}
			if r := ask("www.", dns.TypeMX); r.Rcode != 0 || len(r.Answer) != 0 {
				t.Error(r)
			} else {
				proof(r, "=www./MX")
			}
			if r := ask("no.", dns.TypeA); r.Rcode != dns.RcodeNameError {
				t.Error(r)
			} else if proof(r, "!no.", "!*."); hashed {
				proof(r, "=")
			}
			if r := ask("x.no.", dns.TypeA); r.Rcode != dns.RcodeNameError {
				t.Error(r)
			} else {
				proof(r, "!*.")
			}
			// An empty non-terminal: NSEC covers it, NSEC3 matches it.
			if r := ask("b.c.", dns.TypeA); r.Rcode != 0 || len(r.Answer) != 0 {
				t.Error(r)
			} else if hashed {
				proof(r, "=b.c./A")
			} else {
				proof(r, "!b.c.")
			}
			// A wildcard: the name itself does not exist.
			if r := ask("x.w.", dns.TypeA); len(r.Answer) != 2 {
				t.Error(r)
			} else {
				proof(r, "!x.w.")
			}
			if r := ask("x.w.", dns.TypeMX); r.Rcode != 0 || len(r.Answer) != 0 {
				t.Error(r)
			} else {
				proof(r, "=*.w./MX", "!x.w.")
			}
			if r := ask("exact.w.", dns.TypeA); r.Rcode != 0 || len(r.Answer) != 0 {
				t.Error(r)
			} else {
				proof(r, "=exact.w./A")
			}
			if r := ask("starred.", dns.TypeA); len(r.Answer) != 4 {
				t.Error(r)
			} else {
				proof(r, "!x.w.")
			}
			if r := ask("x.d.", dns.TypeA); len(r.Answer) != 5 {
				t.Error(r)
			} else {
				proof(r, "!x.w.")
			}
			// Delegations: signed with their DS, unsigned with the proof that there is none.
			if r := ask("a.safe.", dns.TypeA); r.Authoritative || len(r.Answer) != 0 || !slices.ContainsFunc(r.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeDS }) {
				t.Error(r)
			}
			if r := ask("a.open.", dns.TypeA); r.Authoritative || len(r.Answer) != 0 || len(r.Extra) != 2 {
				t.Error(r)
			} else {
				proof(r, "=open./DS")
			}
			if r := ask("safe.", dns.TypeDS); !r.Authoritative || len(r.Answer) != 2 {
				t.Error(r)
			}
			if r := ask("open.", dns.TypeDS); !r.Authoritative || len(r.Answer) != 0 {
				t.Error(r)
			} else {
				proof(r, "=open./DS")
			}
			var z zoneList
			d.ctlJSON(&z, "zones")
			if len(z.Zones) != 1 || !z.Zones[0].Signed || z.Zones[0].State != "serving" || len(z.Zones[0].Problems) != 0 {
				t.Errorf("%+v", z)
			}
		})
	}
}

// A response that signatures make too large for the client is truncated; without DO the same fits.
func TestSignedZoneTruncation(t *testing.T) {
	t.Parallel()
	const origin = "secure.example."
	s := newSigner(t, origin)
	text := signedText
	for i := range 25 {
		text += fmt.Sprintf("many A 192.0.2.%d\n", i)
	}
	d := start(t, authoritativeOnly+zoneFile(t, origin, s.sign(t, text, false)))
	if r := d.ask("many."+origin, dns.TypeA); r.Truncated || len(r.Answer) != 25 {
		t.Errorf("without DO: TC %v, %d records", r.Truncated, len(r.Answer))
	}
	for size, fits := range map[uint16]bool{0: false, 512: false, 1232: true} {
		q := question("many."+origin, dns.TypeA)
		q.SetEdns0(size, true)
		r := d.exchange(q, "udp")
		if r.Truncated == fits || fits && len(r.Answer) != 26 || !fits && len(r.Answer) != 0 {
			t.Errorf("size %d: TC %v, %d records", size, r.Truncated, len(r.Answer))
		}
		if r = d.exchange(q, "tcp"); r.Truncated || len(r.Answer) != 26 {
			t.Errorf("over TCP: TC %v, %d records", r.Truncated, len(r.Answer))
		}
		s.verify(t, "many", r)
	}
}
