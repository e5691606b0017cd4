package lab

import (
	"encoding/base64"
	"math/rand/v2"

	"github.com/miekg/dns"
)

// What a zone with the flaw KeyTrap has. All keys tried with all signatures make 4,800 operations for an RRset.
const (
	trapKeys       = 24
	trapSignatures = 200
)

// twins returns keys with the tag of the given one, an Ed25519 key. The tag is a sum of 16-bit words (RFC 4034,
// appendix B), and so is the same whatever their order.
func twins(public *dns.DNSKEY) (all []*dns.DNSKEY) {
	words, err := base64.StdEncoding.DecodeString(public.PublicKey)
	if err != nil {
		panic("the key was made here: " + err.Error())
	}
	for range trapKeys - 1 {
		rand.Shuffle(len(words)/2, func(i, j int) {
			words[2*i], words[2*j] = words[2*j], words[2*i]
			words[2*i+1], words[2*j+1] = words[2*j+1], words[2*i+1]
		})
		twin := *public
		twin.PublicKey = base64.StdEncoding.EncodeToString(words)
		all = append(all, &twin)
	}
	return all
}

// decoys returns signatures that differ from a right one, and from each other, in their last octets but one: the
// half of an Ed25519 signature that verification has to compute with.
func decoys(right *dns.RRSIG) (all []dns.RR) {
	octets, err := base64.StdEncoding.DecodeString(right.Signature)
	if err != nil {
		panic("the signature was made here: " + err.Error())
	}
	for i := range trapSignatures {
		octets[len(octets)-2] ^= byte(i + 1)
		decoy := *right
		decoy.Signature = base64.StdEncoding.EncodeToString(octets)
		all = append(all, &decoy)
		octets[len(octets)-2] ^= byte(i + 1)
	}
	return all
}
