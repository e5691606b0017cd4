// Package dnssec validates signed DNS data (RFC 4033 to 4035, 5155, 6840) as pure functions: no clock, no network,
// no state that outlives a call but what the caller keeps. Time is an argument in seconds since 1970.
//
// # The chain of trust
//
// A [Zone] is a link of the chain: a zone with its validated keys, or the place where the chain ends, because
// the zone is proven to be unsigned or because something is broken. A resolver keeps zones in a cache by name and
// validates a response like this:
//
//	resp := &dnssec.Response{...}               // made of the RRsets of a message or of a cache
//	parts := dnssec.Plan(resp)                  // one part for each alias, and one for the end
//	for i := range parts {
//		anchor, target, unsigned := anchors.Start(&parts[i])
//		if unsigned != nil {
//			zones[i] = unsigned             // no anchor, or a negative one
//			continue
//		}
//		walk := dnssec.NewWalk(known, target) // known: the deepest cached zone from anchor.Zone to target
//		...                                   // see Walk: it says which DS and DNSKEY records to ask for
//		zones[i] = walk.Zone()
//	}
//	verdict := validator.Validate(resp, parts, zones)
//
// The zone of the anchor itself comes from [Validator.ValidateKeys] with its DNSKEY RRset and the anchor's DS
// records. Each further one takes two steps: [Validator.ValidateDelegation] reads the response to a DS query, or
// a referral that has the DS records or their denial in it, and [Validator.ValidateKeys] the DNSKEY RRset. If
// the response is signed, the walk goes from zone cut to zone cut, as fast as the resolver knows them;
// if not, it has to find the place where the chain ends, so that it asks for the DS records of each name on the
// way that is not known to be inside a zone.
//
// Plan, Start and Walk cost little and run where the resolver runs. Validate, ValidateDelegation and ValidateKeys
// do the cryptography; a [Validator] and what it is given can be handed to another thread for that.
//
// # Results
//
// [Result] has a [Status] and a [Reason], which names an extended error (RFC 8914). A response that is Bogus ends
// in SERVFAIL unless the client set CD; Secure sets AD; for the others AD is clear. What is Bogus may be so because
// of one broken server, so that asking another is worth a try.
//
// # Bounds
//
// Whoever controls a zone decides about the work to validate it (CVE-2023-50387, CVE-2023-50868). [Policy] limits
// what one RRset, signature or hash may take, and a [Budget], shared by all validation for one client query,
// the whole. Where a limit strikes, the result is Bogus with a reason of its own. A [Memo] saves repeated public
// key operations; it answers only for the arithmetic, never for times or names. [HotKeys] makes those with the same key
// cheaper.
//
// # Denial
//
// [Denial] draws conclusions from NSEC and NSEC3 records, of a response or out of a cache (RFC 8198, [Spans]).
//
// # Trust anchors
//
// [RootAnchor] is built in, [ParseAnchors] reads others from a file's text, and a [TrustPoint] follows a zone's keys
// by RFC 5011.
package dnssec
