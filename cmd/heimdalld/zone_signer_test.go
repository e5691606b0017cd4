package main

import (
	"crypto"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// signer signs zones for the tests: one ECDSA key, an NSEC or an NSEC3 chain.
type signer struct {
	key    *dns.DNSKEY
	secret crypto.Signer
	origin string
}

func newSigner(t *testing.T, origin string) *signer {
	t.Helper()
	k := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: origin, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 300},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	secret, err := k.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{key: k, secret: secret.(crypto.Signer), origin: origin}
}

// nameTypes are the types at a name that a zone has a say about.
type nameTypes map[uint16][]dns.RR

// read sorts a master file by name and type, and tells what is delegated.
func (s *signer) read(t *testing.T, text string) (names map[string]nameTypes, cuts []string) {
	t.Helper()
	names = map[string]nameTypes{}
	add := func(rr dns.RR) {
		h := rr.Header()
		if names[h.Name] == nil {
			names[h.Name] = nameTypes{}
		}
		names[h.Name][h.Rrtype] = append(names[h.Name][h.Rrtype], rr)
		if h.Rrtype == dns.TypeNS && h.Name != s.origin && !slices.Contains(cuts, h.Name) {
			cuts = append(cuts, h.Name)
		}
	}
	p := dns.NewZoneParser(strings.NewReader(text), s.origin, "")
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		add(rr)
	}
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	add(s.key)
	return names, cuts
}

// glue tells whether a name is below a cut, where nothing is signed.
func glue(name string, cuts []string) bool {
	return slices.ContainsFunc(cuts, func(c string) bool { return name != c && dns.IsSubDomain(c, name) })
}

// sign returns the text of a zone, signed. hashed chooses NSEC3, with one iteration and a salt.
func (s *signer) sign(t *testing.T, text string, hashed bool) string {
	t.Helper()
	names, cuts := s.read(t, text)
	var b strings.Builder
	// Names in the chain: with NSEC3 empty non-terminals too.
	var chain []string
	for name := range names {
		if glue(name, cuts) {
			continue
		}
		for ; name != s.origin && !slices.Contains(chain, name); name = name[strings.Index(name, ".")+1:] {
			if names[name] != nil || hashed {
				chain = append(chain, name)
			}
		}
	}
	chain = append(chain, s.origin)
	if hashed {
		param := &dns.NSEC3PARAM{Hdr: dns.RR_Header{Name: s.origin, Rrtype: dns.TypeNSEC3PARAM, Class: dns.ClassINET, Ttl: 0}, Hash: dns.SHA1, Iterations: 1, SaltLength: 2, Salt: "ABCD"}
		names[s.origin][dns.TypeNSEC3PARAM] = []dns.RR{param}
		s.addNSEC3(names, cuts, chain)
	} else {
		s.addNSEC(names, chain)
	}
	for name, types := range names {
		for typ, set := range types {
			for _, rr := range set {
				fmt.Fprintln(&b, rr)
			}
			if glue(name, cuts) || slices.Contains(cuts, name) && typ == dns.TypeNS {
				continue
			}
			sig := &dns.RRSIG{
				Hdr:       dns.RR_Header{Name: name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: set[0].Header().Ttl},
				Inception: uint32(time.Now().Add(-time.Hour).Unix()), Expiration: uint32(time.Now().Add(30 * 24 * time.Hour).Unix()),
				KeyTag: s.key.KeyTag(), SignerName: s.origin, Algorithm: s.key.Algorithm,
			}
			if err := sig.Sign(s.secret, set); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, sig)
		}
	}
	return b.String()
}

// bitmap lists the types at a name as its NSEC or NSEC3 record has them.
func bitmap(types nameTypes, cut bool, more ...uint16) []uint16 {
	list := slices.Clone(more)
	signed := len(more) > 1
	for typ := range types {
		if cut && typ != dns.TypeNS && typ != dns.TypeDS {
			continue
		}
		list = append(list, typ)
		signed = signed || !cut || typ == dns.TypeDS
	}
	if signed && !slices.Contains(list, dns.TypeRRSIG) {
		list = append(list, dns.TypeRRSIG)
	}
	slices.Sort(list)
	return list
}

func (s *signer) addNSEC(names map[string]nameTypes, chain []string) {
	slices.SortFunc(chain, canonical)
	for i, name := range chain {
		cut := name != s.origin && names[name][dns.TypeNS] != nil
		names[name][dns.TypeNSEC] = []dns.RR{&dns.NSEC{
			Hdr:        dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 60},
			NextDomain: chain[(i+1)%len(chain)], TypeBitMap: bitmap(names[name], cut, dns.TypeRRSIG, dns.TypeNSEC),
		}}
	}
}

func (s *signer) addNSEC3(names map[string]nameTypes, cuts, chain []string) {
	hash := func(name string) string { return dns.HashName(name, dns.SHA1, 1, "ABCD") }
	slices.SortFunc(chain, func(a, b string) int { return strings.Compare(hash(a), hash(b)) })
	for i, name := range chain {
		owner := strings.ToLower(hash(name)) + "." + s.origin
		names[owner] = nameTypes{dns.TypeNSEC3: []dns.RR{&dns.NSEC3{
			Hdr:  dns.RR_Header{Name: owner, Rrtype: dns.TypeNSEC3, Class: dns.ClassINET, Ttl: 60},
			Hash: dns.SHA1, Iterations: 1, SaltLength: 2, Salt: "ABCD", HashLength: 20, NextDomain: hash(chain[(i+1)%len(chain)]),
			TypeBitMap: bitmap(names[name], slices.Contains(cuts, name)),
		}}}
	}
}

// canonical is the order of RFC 4034, section 6.1, for names in lower case without escapes.
func canonical(a, b string) int {
	x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y)
}
