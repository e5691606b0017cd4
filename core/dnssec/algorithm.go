package dnssec

import "strconv"

// Algorithm is a DNSSEC signature algorithm (IANA registry "DNS Security Algorithm Numbers").
type Algorithm uint8

// The algorithms that signatures can be verified with, and RSAMD5, whose key tag is computed differently.
const (
	RSAMD5           Algorithm = 1
	RSASHA1          Algorithm = 5
	RSASHA1NSEC3SHA1 Algorithm = 7
	RSASHA256        Algorithm = 8
	RSASHA512        Algorithm = 10
	ECDSAP256SHA256  Algorithm = 13
	ECDSAP384SHA384  Algorithm = 14
	ED25519          Algorithm = 15
	ED448            Algorithm = 16
)

// String returns the algorithm's mnemonic, or its number.
func (a Algorithm) String() string {
	switch a {
	case RSAMD5:
		return "RSAMD5"
	case RSASHA1:
		return "RSASHA1"
	case RSASHA1NSEC3SHA1:
		return "RSASHA1-NSEC3-SHA1"
	case RSASHA256:
		return "RSASHA256"
	case RSASHA512:
		return "RSASHA512"
	case ECDSAP256SHA256:
		return "ECDSAP256SHA256"
	case ECDSAP384SHA384:
		return "ECDSAP384SHA384"
	case ED25519:
		return "ED25519"
	case ED448:
		return "ED448"
	}
	return "algorithm " + strconv.Itoa(int(a))
}

// supports reports whether signatures of algorithm a are to be verified. A zone whose DS records name no
// supported algorithm is insecure (RFC 4035, section 5.2).
func (p *Policy) supports(a Algorithm) bool {
	switch a {
	case RSASHA256, RSASHA512, ECDSAP256SHA256, ECDSAP384SHA384, ED25519, ED448:
		return true
	case RSASHA1, RSASHA1NSEC3SHA1:
		return p.SHA1
	}
	return false
}
