package lab

import "github.com/miekg/dns"

// Extended errors that the library has no short name for.
const (
	edeAlgorithm   = dns.ExtendedErrorCodeUnsupportedDNSKEYAlgorithm
	edeDigest      = dns.ExtendedErrorCodeUnsupportedDSDigestType
	edeBogus       = dns.ExtendedErrorCodeDNSBogus
	edeExpired     = dns.ExtendedErrorCodeSignatureExpired
	edeFuture      = dns.ExtendedErrorCodeSignatureNotYetValid
	edeNoKey       = dns.ExtendedErrorCodeDNSKEYMissing
	edeNoSignature = dns.ExtendedErrorCodeRRSIGsMissing
	edeNoDenial    = dns.ExtendedErrorCodeNSECMissing
	edeUnreachable = dns.ExtendedErrorCodeNoReachableAuthority
	edeNetwork     = dns.ExtendedErrorCodeNetworkError
	edeIterations  = 27 // RFC 9276
)

// Questions returns the table of names and outcomes.
func Questions() []Question {
	const (
		www   = "192.0.2.1"
		empty = "192.0.2.2"
		wild  = "192.0.2.3"
	)
	var all []Question
	add := func(q Question, name string, typ uint16, why string) {
		q.Name, q.Type, q.Why = name, typ, why
		all = append(all, q)
	}
	secure := func(name, data, why string) { add(Question{Data: data, AD: true}, name, dns.TypeA, why) }
	insecure := func(name, data, why string, ede ...uint16) {
		add(Question{Data: data, Errors: ede}, name, dns.TypeA, why)
	}
	bogus := func(name, data, why string, ede ...uint16) {
		add(Question{Data: data, Bogus: true, Errors: ede}, name, dns.TypeA, why)
	}
	bogusDenial := func(name string, typ uint16, rcode int, why string, ede ...uint16) {
		add(Question{Rcode: rcode, Bogus: true, Errors: ede}, name, typ, why)
	}
	nodata := func(name string, typ uint16, ad bool, why string, ede ...uint16) {
		add(Question{AD: ad, Errors: ede}, name, typ, why)
	}
	nxdomain := func(name string, ad bool, why string, ede ...uint16) {
		add(Question{Rcode: dns.RcodeNameError, AD: ad, Errors: ede}, name, dns.TypeA, why)
	}
	fails := func(name, why string) { add(Question{Rcode: dns.RcodeServerFailure}, name, dns.TypeA, why) }

	for _, z := range []string{"nsec.alpha.", "nsec3.beta.", "salt.beta.", "optout.beta."} {
		secure("www."+z, www, "an answer")
		secure("host.empty."+z, empty, "below an empty non-terminal")
		nodata("www."+z, dns.TypeTXT, true, "no such type")
		nodata("empty."+z, dns.TypeA, true, "an empty non-terminal")
		nodata("known.wild."+z, dns.TypeA, true, "a name beside the wildcard")
	}
	for _, z := range []string{"nsec.alpha.", "nsec3.beta.", "salt.beta."} {
		secure("any.wild."+z, wild, "from a wildcard")
		secure("some.other.wild."+z, wild, "from a wildcard, two labels below it")
		nxdomain("nothing."+z, true, "no such name")
		nxdomain("no.such.known.wild."+z, true, "no such name beside a wildcard")
		nodata("any.wild."+z, dns.TypeTXT, true, "a wildcard without the type")
	}
	nxdomain("nothing.optout.beta.", false, "no such name, in an opt-out span")
	insecure("any.wild.optout.beta.", wild, "from a wildcard, in an opt-out span") // RFC 5155, section 9.2
	secure("www.iterations.beta.", www, "needs no NSEC3 record")
	nxdomain("nothing.iterations.beta.", false, "too many iterations", edeIterations)
	insecure("any.wild.iterations.beta.", wild, "too many iterations", edeIterations)
	nxdomain("nothing.", true, "no such top-level domain")
	nxdomain("nothing.alpha.", true, "no such delegation")
	nxdomain("nothing.beta.", false, "no such delegation, in an opt-out span")
	nodata("insecure.alpha.", dns.TypeDS, true, "no DS records: an insecure delegation")
	nodata("insecure.beta.", dns.TypeDS, false, "no DS records, in an opt-out span")

	secure("alias.nsec.alpha.", www, "an alias")
	secure("out.nsec.alpha.", www, "an alias into another zone")
	secure("any.wildalias.nsec.alpha.", www, "an alias from a wildcard")
	secure("www.tree.nsec.alpha.", www, "DNAME")
	secure("twice.nsec.alpha.", www, "an alias into a DNAME")
	nxdomain("nothing.tree.nsec.alpha.", true, "DNAME to no such name")
	nxdomain("tonothing.nsec.alpha.", true, "an alias to no such name")
	insecure("toinsecure.nsec.alpha.", www, "an alias into an unsigned zone")
	insecure("chain.nsec.alpha.", www, "aliases through four zones, one of them unsigned")
	add(Question{Bogus: true, Data: www, Errors: []uint16{edeExpired}}, "tobogus.nsec.alpha.", dns.TypeA, "an alias into a zone that is bogus")
	fails("todead.nsec.alpha.", "an alias into a zone that is not reachable")
	fails("loop.nsec.alpha.", "aliases in a circle")

	secure("www.rsasha256.alpha.", www, "algorithm 8")
	secure("www.rsasha512.alpha.", www, "algorithm 10")
	secure("www.p384.alpha.", www, "algorithm 14, digest 4")
	secure("www.ed25519.alpha.", www, "algorithm 15")
	secure("www.ed448.alpha.", www, "algorithm 16")
	secure("www.sha1.alpha.", www, "digest 1")
	secure("www.digests.alpha.", www, "digests 1, 2 and 4")
	insecure("www.algorithm.alpha.", www, "an algorithm that nobody knows", edeAlgorithm)
	insecure("www.digesttype.alpha.", www, "a digest that nobody knows", edeDigest)

	insecure("www.insecure.alpha.", www, "unsigned")
	insecure("www.island.insecure.alpha.", www, "signed, below an unsigned zone")
	insecure("www.insecure.beta.", www, "unsigned, in an opt-out span")
	insecure("www.plain.optout.beta.", www, "unsigned, in an opt-out span")
	secure("www.signed.optout.beta.", www, "signed, below opt-out")
	insecure("www.nods.alpha.", www, "signed, without DS records")
	nxdomain("nothing.insecure.alpha.", false, "no such name in an unsigned zone")

	bogus("www.expired.alpha.", www, "signatures have expired", edeExpired)
	bogus("www.below.expired.alpha.", www, "below such a zone", edeExpired)
	bogus("www.future.alpha.", www, "signatures are not valid yet", edeFuture)
	bogus("www.wrongkey.alpha.", www, "signed with a key that is not published", edeNoKey)
	bogus("www.forged.alpha.", www, "signatures do not fit", edeBogus)
	bogus("www.keytrap.alpha.", www, "many keys and signatures that do not fit (KeyTrap)", edeBogus, edeNoKey)
	bogus("www.nokeys.alpha.", www, "DS records, but not signed", edeNoKey, edeNoSignature)
	bogus("www.wrongds.alpha.", www, "DS record of another key", edeNoKey)
	bogus("www.corruptds.alpha.", www, "wrong digest in the DS record", edeNoKey)
	bogus("www.hiddends.alpha.", www, "DS record that the parent zone's servers deny", edeBogus, edeNoDenial)
	bogus("www.nosigs.alpha.", www, "data without signatures", edeNoSignature)
	for _, z := range []string{"wrongnsec.alpha.", "wrongnsec3.beta.", "nodenial.alpha."} {
		secure("www."+z, www, "needs no proof")
		bogusDenial("nothing."+z, dns.TypeA, dns.RcodeNameError, "no proof that the name does not exist", edeNoDenial)
		bogusDenial("www."+z, dns.TypeTXT, dns.RcodeSuccess, "no proof that the type does not exist", edeNoDenial)
		bogus("any.wild."+z, wild, "no proof that the wildcard applies", edeNoDenial)
	}

	for _, z := range []string{"refused", "upwards", "sideways", "elsewhere", "dead"} {
		secure("www."+z+".alpha.", www, "one of two servers is of use")
	}
	secure("www.slow.alpha.", www, "servers take 600 ms")
	secure("www.lower.alpha.", www, "servers repeat the question in lower case")
	secure("www.truncating.alpha.", www, "servers answer over TCP only")
	insecure("www.plain.alpha.", www, "servers without EDNS")
	secure("www.six.beta.", www, "servers with IPv6 only")
	add(Question{Data: largeData(39), AD: true}, "large.big.beta.", dns.TypeTXT, "an answer too large for UDP")
	secure("www.crossa.alpha.", www, "its server is named in a zone that has one here")
	secure("www.crossb.beta.", www, "one of its servers is named in a zone that has one here")
	for _, z := range []string{"allrefused", "allupwards", "allsideways", "allelsewhere", "alldead"} {
		fails("www."+z+".alpha.", "no server is of use")
	}
	fails("www.noglue.alpha.", "glue is missing")
	fails("www.loopa.alpha.", "delegations in a circle")
	fails("www.loopb.beta.", "delegations in a circle")
	fails("www.nxns.alpha.", "a delegation to 100 names that do not exist")
	return all
}
