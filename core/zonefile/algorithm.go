package zonefile

import "bytes"

// algorithms are the mnemonics of the IANA registry of DNSSEC algorithm numbers, and those that other servers know
// beside them.
var algorithms = [...]struct {
	name string
	n    byte
}{
	{"RSASHA256", 8}, {"ECDSAP256SHA256", 13}, {"ED25519", 15}, {"ECDSAP384SHA384", 14}, {"ED448", 16}, {"RSASHA512", 10},
	{"RSASHA1", 5}, {"RSASHA1-NSEC3-SHA1", 7}, {"NSEC3RSASHA1", 7}, {"DELETE", 0}, {"RSAMD5", 1}, {"DH", 2}, {"DSA", 3}, {"ECC", 4},
	{"DSA-NSEC3-SHA1", 6}, {"NSEC3DSA", 6}, {"ECC-GOST", 12}, {"ECCGOST", 12}, {"SM2SM3", 17}, {"ECC-GOST12", 23},
	{"INDIRECT", 252}, {"PRIVATEDNS", 253}, {"PRIVATEOID", 254},
}

// algorithm reads a DNSSEC algorithm, a number or a mnemonic in either letter case.
func (f *fields) algorithm() {
	if len(f.tokens) > 0 && f.err == nil && !f.tokens[0].quoted && len(f.tokens[0].text) > 0 && !isDigit(f.tokens[0].text[0]) {
		for _, a := range algorithms {
			if bytes.EqualFold(f.tokens[0].text, []byte(a.name)) {
				f.tokens = f.tokens[1:]
				f.out = append(f.out, a.n)
				return
			}
		}
		f.fail(errAlgorithm)
		return
	}
	f.number(1)
}
