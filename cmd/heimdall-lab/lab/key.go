package lab

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/cloudflare/circl/sign/ed448"
	"github.com/miekg/dns"
)

// key is a DNSSEC key pair.
type key struct {
	public  *dns.DNSKEY
	private crypto.Signer
}

const (
	flagsZSK = dns.ZONE
	flagsKSK = dns.ZONE | dns.SEP
	keyTTL   = 3600
)

// keyBits are the lengths of keys by algorithm.
var keyBits = map[uint8]int{
	dns.RSASHA256: 2048, dns.RSASHA512: 2048, dns.ECDSAP256SHA256: 256, dns.ECDSAP384SHA384: 384, dns.ED25519: 256,
}

// newKey makes a key. One of an unknown algorithm is an Ed25519 key that says otherwise.
func newKey(zone string, algorithm uint8, flags uint16) (*key, error) {
	for {
		// The library does not sign with a key whose tag is 0, as one of 65,536 is.
		if k, err := anyKey(zone, algorithm, flags); err != nil || k.public.KeyTag() != 0 {
			return k, err
		}
	}
}

// anyKey makes a key, whatever its tag.
func anyKey(zone string, algorithm uint8, flags uint16) (*key, error) {
	k := &key{public: &dns.DNSKEY{Flags: flags, Protocol: 3, Algorithm: algorithm}}
	k.public.Hdr = dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: keyTTL}
	switch algorithm {
	case dns.ED448:
		public, private, err := ed448.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make a key of %s: %w", zone, err)
		}
		k.public.PublicKey, k.private = base64.StdEncoding.EncodeToString(public), private
		return k, nil
	case unknownAlgorithm:
		k.public.Algorithm = dns.ED25519
	}
	private, err := k.public.Generate(keyBits[k.public.Algorithm])
	if err != nil {
		return nil, fmt.Errorf("make a key of %s: %w", zone, err)
	}
	k.public.Algorithm, k.private = algorithm, private.(crypto.Signer)
	return k, nil
}

// sign returns the signature of an RRset, in the name of the key's zone.
func (k *key) sign(rrs []dns.RR, inception, expiration uint32) (*dns.RRSIG, error) {
	h := rrs[0].Header()
	s := &dns.RRSIG{Algorithm: k.public.Algorithm, KeyTag: k.public.KeyTag(), SignerName: k.public.Hdr.Name,
		Inception: inception, Expiration: expiration}
	s.Hdr.Ttl = h.Ttl
	private := k.private
	if s.Algorithm == dns.ED448 || s.Algorithm == unknownAlgorithm {
		private = otherAlgorithm{k.private, s.Algorithm}
		s.Algorithm = dns.ED25519
	}
	if err := s.Sign(private, rrs); err != nil {
		return nil, fmt.Errorf("sign %s %s: %w", h.Name, dns.TypeToString[h.Rrtype], err)
	}
	s.Algorithm = k.public.Algorithm
	return s, nil
}

// ds returns the DS record of the key.
func (k *key) ds(digest uint8) *dns.DS {
	if digest == unknownDigest {
		d := k.public.ToDS(dns.SHA256)
		d.DigestType = digest
		return d
	}
	return k.public.ToDS(digest)
}

// otherAlgorithm signs what the library prepared for an Ed25519 key with an algorithm that the library does not
// know. Both take the data as it is; only the algorithm's number in it differs.
type otherAlgorithm struct {
	crypto.Signer
	algorithm uint8
}

// algorithmAt is the offset of the algorithm in signed data, which begins with the RRSIG record's RDATA
// (RFC 4034, section 3.1.8.1).
const algorithmAt = 2

func (o otherAlgorithm) Sign(rnd io.Reader, data []byte, opts crypto.SignerOpts) ([]byte, error) {
	data = bytes.Clone(data)
	data[algorithmAt] = o.algorithm
	return o.Signer.Sign(rnd, data, opts)
}

// corrupt changes the first digit of a digest, or the first character of a signature.
func corrupt(s string) string {
	if strings.HasPrefix(s, "A") || strings.HasPrefix(s, "a") {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}
