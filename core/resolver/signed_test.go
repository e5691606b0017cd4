package resolver

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
)

// signedAt is when the signatures of the tests are good: 2026-06-01.
const signedAt = int64(1780272000)

// signedZone is a zone that is signed as it is asked, with one key and NSEC records; without a key it is not.
type signedZone struct {
	name    string
	records []dns.RR
	key     *dns.DNSKEY
	private crypto.Signer
	sigs    map[string]*dns.RRSIG
}

func newZone(t testing.TB, apex string, signed bool, records ...string) *signedZone {
	z := &signedZone{name: apex, sigs: map[string]*dns.RRSIG{}}
	for _, text := range append(records, apex+" 3600 IN SOA ns. host."+strings.TrimPrefix(apex, ".")+" 1 3600 600 86400 300") {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		z.records = append(z.records, rr)
	}
	if signed {
		seed := sha256.Sum256([]byte(apex)) // the same key each time, for fuzzing
		private := ed25519.NewKeyFromSeed(seed[:])
		z.private = private
		z.key = &dns.DNSKEY{
			Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600}, Flags: 257, Protocol: 3, Algorithm: dns.ED25519,
			PublicKey: base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey)),
		}
		z.records = append(z.records, z.key)
	}
	return z
}

// delegate adds the DS record of a child.
func (z *signedZone) delegate(child *signedZone) {
	if child.key != nil {
		z.records = append(z.records, child.key.ToDS(dns.SHA256))
	}
}

func (z *signedZone) anchor() dnssec.Anchor {
	list, err := dnssec.ParseAnchors("test", z.key.ToDS(dns.SHA256).String())
	if err != nil {
		panic(err)
	}
	return list[0]
}

func (z *signedZone) at(owner string, typ uint16) (set []dns.RR) {
	for _, rr := range z.records {
		if h := rr.Header(); h.Name == owner && (typ == dns.TypeANY || h.Rrtype == typ) {
			set = append(set, rr)
		}
	}
	return set
}

// cut returns the delegation that a name is below or at.
func (z *signedZone) cut(name string) string {
	found := ""
	for _, rr := range z.records {
		if h := rr.Header(); h.Rrtype == dns.TypeNS && h.Name != z.name && dns.IsSubDomain(h.Name, name) && (found == "" || len(h.Name) < len(found)) {
			found = h.Name
		}
	}
	return found
}

// owners lists the names that have NSEC records, in canonical order.
func (z *signedZone) owners() (list []string) {
	for _, rr := range z.records {
		owner := rr.Header().Name
		if c := z.cut(owner); c == "" || c == owner {
			list = append(list, owner)
		}
	}
	slices.SortFunc(list, func(a, b string) int { return dname.Compare(dnametest.Name(a), dnametest.Name(b)) })
	return slices.Compact(list)
}

// nsec returns the NSEC record at a name or the one that covers it.
func (z *signedZone) nsec(for_ string) dns.RR {
	list := z.owners()
	i := len(list) - 1
	for i > 0 && dname.Compare(dnametest.Name(list[i]), dnametest.Name(for_)) > 0 {
		i--
	}
	rr := &dns.NSEC{Hdr: dns.RR_Header{Name: list[i], Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 300}, NextDomain: list[(i+1)%len(list)]}
	for _, have := range z.at(list[i], dns.TypeANY) {
		if z.cut(list[i]) == "" || have.Header().Rrtype == dns.TypeNS || have.Header().Rrtype == dns.TypeDS {
			rr.TypeBitMap = append(rr.TypeBitMap, have.Header().Rrtype)
		}
	}
	rr.TypeBitMap = append(rr.TypeBitMap, dns.TypeNSEC, dns.TypeRRSIG)
	slices.Sort(rr.TypeBitMap)
	rr.TypeBitMap = slices.Compact(rr.TypeBitMap)
	return rr
}

// sign appends a set, renamed to owner, with its signature.
func (z *signedZone) sign(dst []dns.RR, owner string, set ...dns.RR) []dns.RR {
	if len(set) == 0 {
		return dst
	}
	if z.key == nil {
		return append(dst, renamed(set, owner)...)
	}
	id := set[0].Header().Name + dns.TypeToString[set[0].Header().Rrtype]
	sig := z.sigs[id]
	if sig == nil {
		sig = &dns.RRSIG{
			Hdr: dns.RR_Header{Name: set[0].Header().Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: set[0].Header().Ttl}, Algorithm: z.key.Algorithm, KeyTag: z.key.KeyTag(), SignerName: z.name,
			Inception: uint32(signedAt - 86400*30), Expiration: uint32(signedAt + 86400*30),
		}
		if err := sig.Sign(z.private, set); err != nil {
			panic(err)
		}
		z.sigs[id] = sig
	}
	return append(dst, renamed(append(slices.Clone(set), sig), owner)...)
}

func renamed(set []dns.RR, owner string) (out []dns.RR) {
	for _, rr := range set {
		rr = dns.Copy(rr)
		rr.Header().Name = owner
		out = append(out, rr)
	}
	return out
}

// deny appends the SOA and NSEC records that prove things about names.
func (z *signedZone) deny(r *dns.Msg, names ...string) {
	r.Ns = z.sign(r.Ns, z.name, z.at(z.name, dns.TypeSOA)...)
	z.prove(r, names...)
}

func (z *signedZone) prove(r *dns.Msg, names ...string) {
	var seen []string
	for _, n := range names {
		if z.key == nil {
			return
		}
		rr := z.nsec(n)
		if !slices.Contains(seen, rr.Header().Name) {
			seen = append(seen, rr.Header().Name)
			r.Ns = z.sign(r.Ns, rr.Header().Name, rr)
		}
	}
}

// answer is what the zone's servers say: RFC 1034, section 4.3.2, with DNSSEC.
func (z *signedZone) answer(q *dns.Msg) *dns.Msg {
	r := new(dns.Msg).SetReply(q)
	r.Authoritative = true
	qname, qtype := strings.ToLower(q.Question[0].Name), q.Question[0].Qtype
	if cut := z.cut(qname); cut != "" && !(qtype == dns.TypeDS && cut == qname) {
		r.Authoritative = false
		for _, ns := range z.at(cut, dns.TypeNS) {
			r.Ns = append(r.Ns, ns)
			r.Extra = append(r.Extra, z.at(ns.(*dns.NS).Ns, dns.TypeA)...)
		}
		if ds := z.at(cut, dns.TypeDS); ds != nil {
			r.Ns = z.sign(r.Ns, cut, ds...)
		} else {
			z.prove(r, cut)
		}
		return r
	}
	source := qname
	exists := func(n string) bool {
		return slices.ContainsFunc(z.records, func(rr dns.RR) bool { return dns.IsSubDomain(n, rr.Header().Name) })
	}
	for up := qname; !exists(source); {
		_, up, _ = strings.Cut(up, ".")
		if up == "" {
			up = "."
		}
		if !exists(up) {
			continue
		}
		for _, rr := range z.at(up, dns.TypeDNAME) {
			alias := &dns.CNAME{Hdr: dns.RR_Header{Name: qname, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 3600}, Target: strings.TrimSuffix(qname, up) + rr.(*dns.DNAME).Target}
			r.Answer = append(z.sign(nil, up, rr), alias)
			return r
		}
		if source = "*." + strings.TrimPrefix(up, "."); !exists(source) {
			r.Rcode = dns.RcodeNameError
			z.deny(r, qname, source)
			return r
		}
		z.prove(r, qname)
	}
	set := z.at(source, qtype)
	if set == nil {
		set = z.at(source, dns.TypeCNAME)
	}
	if set == nil {
		r.Ns = nil
		z.deny(r, qname, source)
		return r
	}
	for len(set) > 0 { // more than one RRset for ANY
		typ := set[0].Header().Rrtype
		same := func(rr dns.RR) bool { return rr.Header().Rrtype == typ }
		r.Answer = z.sign(r.Answer, qname, slices.DeleteFunc(slices.Clone(set), func(rr dns.RR) bool { return !same(rr) })...)
		set = slices.DeleteFunc(set, same)
	}
	return r
}

// signedWorld is a root zone and what is below it.
type signedWorld struct {
	*network
	zones  map[string]*signedZone
	tamper func(zone string, server netip.AddrPort, r *dns.Msg) // may spoil a response
	asked  int
}

// newSignedWorld makes test. (signed), example.test. (signed, two servers), plain.test. (not signed).
func newSignedWorld(t testing.TB, edit func(o *Options)) *signedWorld {
	root := newZone(t, ".", true, ". 3600 NS ns.", "ns. 3600 A 192.0.2.1", "test. 3600 NS ns.test.", "ns.test. 3600 A 192.0.2.2")
	test := newZone(t, "test.", true, "test. 3600 NS ns.test.", "ns.test. 3600 A 192.0.2.2",
		"example.test. 3600 NS ns1.example.test.", "example.test. 3600 NS ns2.example.test.", "ns1.example.test. 3600 A 192.0.2.3", "ns2.example.test. 3600 A 192.0.2.4",
		"plain.test. 3600 NS ns.plain.test.", "ns.plain.test. 3600 A 192.0.2.5")
	example := newZone(t, "example.test.", true, "example.test. 3600 NS ns1.example.test.", "example.test. 3600 NS ns2.example.test.",
		"ns1.example.test. 3600 A 192.0.2.3", "ns2.example.test. 3600 A 192.0.2.4", "www.example.test. 3600 A 198.51.100.1", "a.ent.example.test. 3600 A 198.51.100.9",
		"alias.example.test. 3600 CNAME www.example.test.", "leaves.example.test. 3600 CNAME www.plain.test.",
		"*.wild.example.test. 3600 A 198.51.100.2", "*.walias.example.test. 3600 CNAME www.example.test.", "old.example.test. 3600 DNAME wild.example.test.")
	plain := newZone(t, "plain.test.", false, "plain.test. 3600 NS ns.plain.test.", "ns.plain.test. 3600 A 192.0.2.5", "www.plain.test. 3600 A 198.51.100.3",
		"enters.plain.test. 3600 CNAME www.example.test.")
	test.delegate(example)
	root.delegate(test)
	anchors := new(dnssec.Anchors)
	anchors.Set(root.anchor())
	o := Options{Recursion: true, NoIPv6: true, Anchors: anchors, RootHints: []Hint{{dnametest.Name("ns."), netip.MustParseAddr("192.0.2.1")}}}
	if edit != nil {
		edit(&o)
	}
	w := &signedWorld{network: newNetwork(t, o), zones: map[string]*signedZone{}}
	w.wall = signedAt
	for addresses, z := range map[string]*signedZone{"192.0.2.1": root, "192.0.2.2": test, "192.0.2.3 192.0.2.4": example, "192.0.2.5": plain} {
		w.zones[z.name] = z
		for _, a := range strings.Fields(addresses) {
			w.servers[addr(a)] = func(q sent) []reply {
				w.asked++
				r := z.answer(q.msg)
				if w.tamper != nil {
					w.tamper(z.name, q.to, r)
				}
				if q.msg.IsEdns0() != nil {
					r.SetEdns0(1232, true)
				}
				return []reply{{msg: r, after: 5 * time.Millisecond}}
			}
		}
	}
	return w
}

// spoil changes the address in the answer of a response.
func spoil(r *dns.Msg) bool {
	for i, rr := range r.Answer {
		if a, ok := rr.(*dns.A); ok {
			a = dns.Copy(a).(*dns.A)
			a.A = a.A.To4()
			a.A = []byte{203, 0, 113, 66}
			r.Answer[i] = a
			return true
		}
	}
	return false
}
