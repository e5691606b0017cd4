package dnssec

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha512"
	"math/big"

	"github.com/cloudflare/circl/sign/ed448"
)

// publicKey verifies signatures. Implementations are safe for concurrent use.
type publicKey interface {
	// verify reports whether signature, as it stands in an RRSIG record, is one of data.
	verify(data, signature []byte) bool
	// cost is about how many microseconds verify takes on a server CPU.
	cost() int
}

// parsePublicKey reads the public key of a DNSKEY record, nil if it is malformed or of an algorithm or size
// that is not supported.
func parsePublicKey(a Algorithm, key []byte) publicKey {
	switch a {
	case RSASHA1, RSASHA1NSEC3SHA1, RSASHA256, RSASHA512:
		return parseRSA(a, key)
	case ECDSAP256SHA256:
		return parseP256(key)
	case ECDSAP384SHA384:
		if k, err := parsePoint(elliptic.P384(), key); err == nil {
			return p384Key{k}
		}
	case ED25519:
		// RFC 8080, section 3.
		if len(key) == ed25519.PublicKeySize {
			return ed25519Key(key)
		}
	case ED448:
		if len(key) == ed448.PublicKeySize {
			return ed448Key(key)
		}
	}
	return nil
}

// parsePoint reads a point as RFC 6605, section 4, writes it: the coordinates one after the other.
func parsePoint(curve elliptic.Curve, key []byte) (*ecdsa.PublicKey, error) {
	return ecdsa.ParseUncompressedPublicKey(curve, append([]byte{4}, key...))
}

type p384Key struct{ *ecdsa.PublicKey }

func (k p384Key) verify(data, signature []byte) bool {
	sum := sha512.Sum384(data)
	return verifyECDSA(k.PublicKey, sum[:], signature)
}

func (p384Key) cost() int { return 600 }

// verifyECDSA takes the signature as RFC 6605, section 4, writes it: r and s, each as long as the hash.
func verifyECDSA(k *ecdsa.PublicKey, hash, signature []byte) bool {
	if len(signature) != 2*len(hash) {
		return false
	}
	r := new(big.Int).SetBytes(signature[:len(hash)])
	s := new(big.Int).SetBytes(signature[len(hash):])
	return ecdsa.Verify(k, hash, r, s)
}

type ed25519Key ed25519.PublicKey

func (k ed25519Key) verify(data, signature []byte) bool {
	return len(signature) == ed25519.SignatureSize && ed25519.Verify(ed25519.PublicKey(k), data, signature)
}

func (ed25519Key) cost() int { return 50 }

type ed448Key ed448.PublicKey

func (k ed448Key) verify(data, signature []byte) bool {
	return len(signature) == ed448.SignatureSize && ed448.Verify(ed448.PublicKey(k), data, signature, "")
}

func (ed448Key) cost() int { return 200 }
