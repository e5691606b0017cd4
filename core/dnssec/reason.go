package dnssec

import "heimdall/core/wire"

// Reason names the cause of a status. It is a closed list, so that a caller can count by reason.
type Reason uint8

// The reasons why an RRset's signatures do not make it secure. When several signatures fail, the one that
// got furthest names the cause: a later constant here wins over an earlier one.
const (
	ReasonNone Reason = iota
	ReasonUnsigned
	ReasonSignatureMalformed
	ReasonSignerName
	ReasonLabelCount
	ReasonUnsupportedAlgorithm
	ReasonNoKey
	ReasonUnusableKey
	ReasonKeyProtocol
	ReasonKeyRevoked
	ReasonNoZoneKeyBit
	ReasonNotYetValid
	ReasonExpired
	ReasonInvalid
	ReasonOwnerName
	ReasonTooManySignatures
	ReasonSignatureBudget
)

// The other reasons.
const (
	ReasonNoKeys Reason = iota + ReasonSignatureBudget + 1
	ReasonNoDSMatch
	ReasonUnsupportedDigest
	ReasonInsecureDelegation
	ReasonOptOut
	ReasonNSEC3Iterations
	ReasonNSEC3Bogus
	ReasonNSEC3Mixed
	ReasonHashBudget
	ReasonNoDenial
	ReasonDenialFails
	ReasonTypeExists
	ReasonNameMissing
	ReasonWildcardUnproven
	ReasonWildcardAlias
	ReasonDNAMETarget
	ReasonNoAnchor
	ReasonNegativeAnchor
	ReasonSignatureQuery
	ReasonNoAnswer
	ReasonKeysUnknown
	ReasonNotValidatable
	reasonCount
)

// edeNSEC3Iterations is the extended error for NSEC3 records with too many iterations (IANA registry
// "Extended DNS Error Codes", from RFC 9276).
const edeNSEC3Iterations wire.EDE = 27

// noEDE marks the reasons that are no errors.
const noEDE wire.EDE = 0xffff

// reasons holds the text and the extended error (RFC 8914, section 4) of each reason.
var reasons = [reasonCount]struct {
	text string
	ede  wire.EDE
}{
	ReasonNone:                 {"no reason", noEDE},
	ReasonUnsigned:             {"no signature", wire.EDERRSIGsMissing},
	ReasonSignatureMalformed:   {"malformed signature record", wire.EDEBogus},
	ReasonSignerName:           {"signed in the name of another zone", wire.EDERRSIGsMissing},
	ReasonLabelCount:           {"label count of the signature does not fit the name", wire.EDEBogus},
	ReasonUnsupportedAlgorithm: {"unsupported signature algorithm", wire.EDEUnsupportedAlgorithm},
	ReasonNoKey:                {"no key of the zone made the signature", wire.EDEDNSKEYMissing},
	ReasonUnusableKey:          {"key is malformed or of a size not supported", wire.EDEBogus},
	ReasonKeyProtocol:          {"key is not for DNSSEC", wire.EDEBogus},
	ReasonKeyRevoked:           {"key is revoked", wire.EDEDNSKEYMissing},
	ReasonNoZoneKeyBit:         {"key is not a zone key", wire.EDENoZoneKeyBitSet},
	ReasonNotYetValid:          {"signature is not valid yet", wire.EDESignatureNotYetValid},
	ReasonExpired:              {"signature has expired", wire.EDESignatureExpired},
	ReasonInvalid:              {"signature does not fit the data", wire.EDEBogus},
	ReasonOwnerName:            {"owner name or next name is not one that the zone may have", wire.EDEBogus},
	ReasonTooManySignatures:    {"too many signatures or keys tried for one RRset", wire.EDEBogus},
	ReasonSignatureBudget:      {"too many signatures tried", wire.EDEBogus},
	ReasonNoKeys:               {"zone has no DNSKEY records", wire.EDEDNSKEYMissing},
	ReasonNoDSMatch:            {"no key of the zone matches the DS records", wire.EDEDNSKEYMissing},
	ReasonUnsupportedDigest:    {"unsupported DS digest type", wire.EDEUnsupportedDigest},
	ReasonInsecureDelegation:   {"delegation without DS records", noEDE},
	ReasonOptOut:               {"name lies in an NSEC3 opt-out span", noEDE},
	ReasonNSEC3Iterations:      {"too many NSEC3 iterations", edeNSEC3Iterations},
	ReasonNSEC3Bogus:           {"far too many NSEC3 iterations", edeNSEC3Iterations},
	ReasonNSEC3Mixed:           {"NSEC3 records of different chains", wire.EDEBogus},
	ReasonHashBudget:           {"too many NSEC3 hashes computed", wire.EDEBogus},
	ReasonNoDenial:             {"no signed NSEC or NSEC3 records", wire.EDENSECMissing},
	ReasonDenialFails:          {"NSEC or NSEC3 records do not prove the negative answer", wire.EDENSECMissing},
	ReasonTypeExists:           {"NSEC or NSEC3 record shows that the type exists", wire.EDEBogus},
	ReasonNameMissing:          {"name is proven not to exist", wire.EDEBogus},
	ReasonWildcardUnproven:     {"no proof that the wildcard applies", wire.EDENSECMissing},
	ReasonWildcardAlias:        {"DNAME, DS or DNSKEY made from a wildcard", wire.EDEBogus},
	ReasonDNAMETarget:          {"CNAME does not follow from its DNAME", wire.EDEBogus},
	ReasonNoAnchor:             {"no trust anchor", wire.EDEIndeterminate},
	ReasonNegativeAnchor:       {"negative trust anchor", noEDE},
	ReasonSignatureQuery:       {"signatures are not signed themselves", noEDE},
	ReasonNoAnswer:             {"no usable answer to the query for DS records", wire.EDENetworkError},
	ReasonKeysUnknown:          {"no usable answer to the query for DNSKEY records", wire.EDEDNSKEYMissing},
	ReasonNotValidatable:       {"response is no answer that can be validated", noEDE},
}

// String returns the reason as a phrase for extended errors and logs.
func (r Reason) String() string {
	if r >= reasonCount {
		return "unknown reason"
	}
	return reasons[r].text
}

// EDE returns the extended error that tells a client about r, and whether there is one.
func (r Reason) EDE() (code wire.EDE, ok bool) {
	if r >= reasonCount || reasons[r].ede == noEDE {
		return 0, false
	}
	return reasons[r].ede, true
}
