package lab

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// one is the content of zones of which only the servers or the signatures are of interest.
const one = "www A 192.0.2.1"

// Zones returns what the lab's internet consists of.
func Zones() []Spec {
	return append([]Spec{
		{Name: ".", Why: "the root", Algorithm: dns.RSASHA256, Split: true,
			Servers: []Server{{Host: "a.root."}, {Host: "b.root."}}},
		{Name: "alpha.", Why: "NSEC", Algorithm: dns.ECDSAP256SHA256, Split: true, Servers: make([]Server, 2)},
		{Name: "beta.", Why: "NSEC3 with opt-out", Algorithm: dns.RSASHA256, Denial: Denial{NSEC3: true, OptOut: true},
			Servers: make([]Server, 2)},

		{Name: "nsec.alpha.", Why: "NSEC and aliases", Algorithm: dns.ECDSAP256SHA256, Records: aliases + contents},
		{Name: "nsec3.beta.", Why: "NSEC3", Algorithm: dns.ECDSAP256SHA256, Denial: Denial{NSEC3: true}, Records: "hop CNAME hop.insecure.alpha.\n" + contents},
		{Name: "salt.beta.", Why: "NSEC3 with a salt and iterations", Algorithm: dns.ECDSAP256SHA256,
			Denial: Denial{NSEC3: true, Iterations: 5, Salt: "a1b2c3d4"}, Records: contents},
		{Name: "iterations.beta.", Why: "more NSEC3 iterations than validators compute (RFC 9276)", Algorithm: dns.ECDSAP256SHA256,
			Denial: Denial{NSEC3: true, Iterations: 500}, Records: contents},
		{Name: "optout.beta.", Why: "NSEC3 with opt-out", Algorithm: dns.ECDSAP256SHA256, Denial: Denial{NSEC3: true, OptOut: true}, Records: contents},
		{Name: "signed.optout.beta.", Why: "signed, below opt-out", Algorithm: dns.ED25519, Records: one},
		{Name: "plain.optout.beta.", Why: "unsigned, in an opt-out span", Records: one},

		{Name: "rsasha512.alpha.", Why: "algorithm 10", Algorithm: dns.RSASHA512, Records: one},
		{Name: "rsasha256.alpha.", Why: "algorithm 8", Algorithm: dns.RSASHA256, Records: one},
		{Name: "p384.alpha.", Why: "algorithm 14, DS digest 4", Algorithm: dns.ECDSAP384SHA384, Digests: []uint8{dns.SHA384}, Records: one},
		{Name: "ed25519.alpha.", Why: "algorithm 15", Algorithm: dns.ED25519, Records: one},
		{Name: "ed448.alpha.", Why: "algorithm 16", Algorithm: dns.ED448, Records: one},
		{Name: "sha1.alpha.", Why: "DS digest 1", Algorithm: dns.ECDSAP256SHA256, Digests: []uint8{dns.SHA1}, Records: one},
		{Name: "digests.alpha.", Why: "DS digests 1, 2 and 4", Algorithm: dns.ECDSAP256SHA256,
			Digests: []uint8{dns.SHA1, dns.SHA256, dns.SHA384}, Records: one},
		{Name: "algorithm.alpha.", Why: "an algorithm that nobody knows", Algorithm: unknownAlgorithm, Records: one},
		{Name: "digesttype.alpha.", Why: "a DS digest that nobody knows", Algorithm: dns.ED25519, Flaw: UnknownDigest, Records: one},

		{Name: "insecure.alpha.", Why: "unsigned", Records: "hop CNAME www.nsec.alpha.\n" + contents},
		{Name: "island.insecure.alpha.", Why: "signed, below an unsigned zone", Algorithm: dns.ED25519, Records: one},
		{Name: "insecure.beta.", Why: "unsigned, in an opt-out span", Records: one},
		{Name: "nods.alpha.", Why: "signed, without DS records", Algorithm: dns.ED25519, NoDS: true, Records: one},

		{Name: "expired.alpha.", Why: "signatures have expired", Algorithm: dns.ED25519, Flaw: Expired, Records: one},
		{Name: "future.alpha.", Why: "signatures are not valid yet", Algorithm: dns.ED25519, Flaw: NotYetValid, Records: one},
		{Name: "wrongkey.alpha.", Why: "signed with a key that is not published", Algorithm: dns.ED25519, Flaw: WrongKey, Records: one},
		{Name: "forged.alpha.", Why: "signatures do not fit", Algorithm: dns.ED25519, Flaw: Forged, Records: one},
		{Name: "keytrap.alpha.", Why: "24 keys with one tag and 200 signatures that fit none (KeyTrap)", Algorithm: dns.ED25519, Flaw: KeyTrap,
			Records: one + "\n*.wild A 192.0.2.3"},
		{Name: "nokeys.alpha.", Why: "DS records, but not signed", Algorithm: dns.ED25519, Flaw: NoKeys, Records: one},
		{Name: "wrongds.alpha.", Why: "DS records of another key", Algorithm: dns.ED25519, Flaw: WrongDS, Records: one},
		{Name: "corruptds.alpha.", Why: "wrong digest in the DS record", Algorithm: dns.ED25519, Flaw: CorruptDS, Records: one},
		{Name: "hiddends.alpha.", Why: "DS record that the parent zone's servers deny", Algorithm: dns.ED25519, Flaw: HiddenDS, Records: one},
		{Name: "nosigs.alpha.", Why: "data without signatures", Algorithm: dns.ED25519, Flaw: NoSignatures, Records: one},
		{Name: "wrongnsec.alpha.", Why: "NSEC records that prove nothing", Algorithm: dns.ED25519, Flaw: WrongDenial, Records: contents},
		{Name: "wrongnsec3.beta.", Why: "NSEC3 records that prove nothing", Algorithm: dns.ED25519, Flaw: WrongDenial, Denial: Denial{NSEC3: true}, Records: contents},
		{Name: "nodenial.alpha.", Why: "no NSEC records", Algorithm: dns.ED25519, Flaw: NoDenial, Records: contents},
		{Name: "below.expired.alpha.", Why: "below a zone whose signatures have expired", Algorithm: dns.ED25519, Records: one},
	}, difficult()...)
}

// difficult are the zones with servers and delegations that make them hard to find.
func difficult() []Spec {
	signed := func(name, why string, servers ...Manner) Spec {
		s := Spec{Name: name, Why: why, Algorithm: dns.ECDSAP256SHA256, Records: one}
		for _, m := range servers {
			s.Servers = append(s.Servers, Server{Manner: m})
		}
		return s
	}
	at := func(s Spec, hosts ...string) Spec {
		s.Servers = nil
		for _, h := range hosts {
			s.Servers = append(s.Servers, Server{Host: h})
		}
		return s
	}
	noglue := signed("noglue.alpha.", "glue is missing")
	noglue.NoGlue = true
	six := signed("six.beta.", "servers with IPv6 only")
	six.IPv6 = true
	big := signed("big.beta.", "answers too large for UDP")
	big.Records = large()
	plain := signed("plain.alpha.", "servers without EDNS", PlainDNS)
	plain.Algorithm = 0
	nxns := signed("nxns.alpha.", "a delegation to 100 names that do not exist (NXNSAttack)")
	nxns.Algorithm, nxns.Servers = 0, []Server{}
	for i := range 100 {
		nxns.More = append(nxns.More, fmt.Sprintf("n%d.victim.beta.", i))
	}
	victim := signed("victim.beta.", "what the names of that delegation are in")
	victim.Algorithm = 0
	return []Spec{
		signed("refused.alpha.", "one of two servers refuses", Refusing, Correct),
		signed("upwards.alpha.", "one of two servers refers to the root", Upwards, Correct),
		signed("sideways.alpha.", "one of two servers refers to itself", Sideways, Correct),
		signed("elsewhere.alpha.", "one of two servers answers in the name of another zone", Elsewhere, Correct),
		signed("dead.alpha.", "one of two servers is dead", Dead, Correct),
		signed("slow.alpha.", "servers take 600 ms", Slow, Slow),
		signed("lower.alpha.", "servers repeat the question in lower case", LowerCasing),
		signed("truncating.alpha.", "servers answer over TCP only", Truncating),
		plain, six, big,
		signed("allrefused.alpha.", "all servers refuse", Refusing, Refusing),
		signed("allupwards.alpha.", "all servers refer to the root", Upwards, Upwards),
		signed("allsideways.alpha.", "all servers refer to themselves", Sideways, Sideways),
		signed("allelsewhere.alpha.", "all servers answer in the name of another zone", Elsewhere, Elsewhere),
		signed("alldead.alpha.", "all servers are dead", Dead, Dead),
		noglue,
		at(signed("crossa.alpha.", "its server is named in a zone that has one here"), "ns1.crossb.beta."),
		at(signed("crossb.beta.", "one of its servers is named in a zone that has one here"), "ns1.crossa.alpha.", "ns2.crossb.beta."),
		at(signed("loopa.alpha.", "its server is named in a zone whose server is named here"), "ns1.loopb.beta."),
		at(signed("loopb.beta.", "its server is named in a zone whose server is named here"), "ns1.loopa.alpha."),
		victim, nxns,
	}
}

// contents is what a zone may have: an empty non-terminal, a wildcard and a name that it would match.
const contents = `
www A 192.0.2.1
www AAAA 2001:db8::1
host.empty A 192.0.2.2
*.wild A 192.0.2.3
known.wild TXT "not from the wildcard"
`

// aliases lead out of their zone, mostly.
const aliases = `
alias CNAME www
out CNAME www.nsec3.beta.
chain CNAME hop.nsec3.beta.
tree DNAME nsec3.beta.
twice CNAME www.tree
*.wildalias CNAME www
toinsecure CNAME www.insecure.alpha.
tobogus CNAME www.expired.alpha.
tonothing CNAME nothing.nsec3.beta.
todead CNAME www.alldead.alpha.
loop CNAME pool
pool CNAME loop
`

// large returns an RRset that needs more than 4096 octets.
func large() string {
	var b strings.Builder
	b.WriteString(one)
	for i := range 40 {
		fmt.Fprintf(&b, "\nlarge TXT %s", largeData(i))
	}
	return b.String()
}

func largeData(i int) string { return fmt.Sprintf("\"%02d %s\"", i, strings.Repeat("x", 120)) }
