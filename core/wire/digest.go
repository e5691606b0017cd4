package wire

// DigestLen returns the length in octets of the digests of a DS digest type, by the IANA registry; 0: unknown.
func DigestLen(digestType byte) int {
	switch digestType {
	case 1: // SHA-1
		return 20
	case 2, 3, 5, 6: // SHA-256, GOST R 34.11-94, GOST R 34.11-2012, SM3
		return 32
	case 4: // SHA-384
		return 48
	}
	return 0
}
