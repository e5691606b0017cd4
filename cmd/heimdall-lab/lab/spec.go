package lab

import "time"

// Spec says what a zone of the lab is like. Its parent zone gets a delegation from what it says.
type Spec struct {
	Name    string
	Why     string // what the zone is there for, as a phrase
	Records string // master file, relative to Name, without SOA and NS records

	Algorithm uint8   // of its keys; 0: unsigned
	Split     bool    // a key that signs keys and one that signs data, in place of one for both
	Digests   []uint8 // of the DS records; nil: SHA-256
	NoDS      bool    // signed, but the parent zone does not say so
	Denial    Denial
	Flaw      Flaw

	Servers []Server // nil: one that is correct, called ns1
	NoGlue  bool     // the parent zone gives no addresses
	IPv6    bool     // its servers have IPv6 addresses only
	More    []string // further NS records, for which there is nothing
}

// Denial is how a signed zone proves what it does not have. The zero value is NSEC.
type Denial struct {
	NSEC3      bool
	OptOut     bool
	Iterations uint16
	Salt       string // hexadecimal
}

// Flaw is what is wrong with a signed zone.
type Flaw uint8

// The flaws. All but the last three are made when the zone is signed.
const (
	Flawless      Flaw = iota
	Expired            // signatures of the past
	NotYetValid        // signatures of the future
	WrongKey           // the data is signed with a key that is not published
	Forged             // signatures of the data do not fit it
	KeyTrap            // many keys with the same tag, and many signatures that fit none of them (CVE-2023-50387)
	NoKeys             // the parent zone has DS records, the zone is not signed
	WrongDS            // the DS record is that of another key
	CorruptDS          // the digest in the DS record has a wrong octet
	UnknownDigest      // the DS record has a digest type that nobody knows
	HiddenDS           // the servers of the parent zone deny the DS record, as one who wants no validation would
	NoSignatures       // the data comes without signatures, the keys with theirs
	WrongDenial        // in place of the NSEC or NSEC3 records that prove something come the next ones of the chain
	NoDenial           // negative answers and those of wildcards come without NSEC or NSEC3 records
)

// Server is a name server. Servers of the same host name are one.
type Server struct {
	Host   string // empty: ns1, ns2 and so on below the zone
	Manner Manner
}

// Manner is how a server treats queries.
type Manner uint8

// The manners.
const (
	Correct     Manner = iota
	Refusing           // REFUSED, whatever is asked
	Upwards            // lame: refers to the root servers
	Sideways           // lame: refers to the zone that it was asked about
	Elsewhere          // lame: NXDOMAIN, in the name of another zone
	Dead               // no response
	Slow               // answers after slowness
	PlainDNS           // FORMERR to queries with EDNS
	LowerCasing        // repeats the question in lower case
	Truncating         // over UDP, TC and no records
)

// slowness is the time that a slow server takes: above what resolvers assume of a server they do not know
// (RFC 6298 and Unbound: less than 400 ms), far below what clients wait.
const slowness = 600 * time.Millisecond

// unknownAlgorithm is not assigned (IANA registry "DNS Security Algorithm Numbers"), nor is unknownDigest.
const (
	unknownAlgorithm = 200
	unknownDigest    = 250
)
