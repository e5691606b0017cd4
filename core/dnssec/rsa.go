package dnssec

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"math/big"
)

const (
	// minModulusBits is the shortest RSA modulus (RFC 3110, section 2; RFC 5702, section 2.1).
	minModulusBits = 512
	// minModulusBitsSHA512 is the shortest one for RSASHA512 (RFC 5702, section 2.2).
	minModulusBitsSHA512 = 1024
	// maxModulusBits is the longest one (RFC 3110, section 2). It bounds what a hostile zone can make a
	// verification cost.
	maxModulusBits = 4096
	// maxExponent bounds the cost of a verification too: each of the exponent's bits costs a squaring, each that
	// is set a multiplication. Signers use 3, 65537 and 2^32+1 at most. BIND verifies with up to 35 bits
	// (RSA_MAX_PUBEXP_BITS), OpenSSL with up to 64 where the modulus has more than 3,072.
	maxExponent = 1<<32 + 1
	// minLibraryBits is the shortest modulus that crypto/rsa accepts.
	minLibraryBits = 1024
)

// rsaKey verifies with crypto/rsa.
type rsaKey struct {
	rsa.PublicKey
	hash crypto.Hash
}

// oddRSAKey verifies what crypto/rsa refuses but zones use: short keys and long exponents. As there is no
// secret in a verification, plain big numbers are safe.
type oddRSAKey struct {
	n, e *big.Int
	hash crypto.Hash
}

// parseRSA reads a key as RFC 3110, section 2, writes it: the exponent's length, in one octet or in two
// after a zero octet, the exponent, and the modulus.
func parseRSA(a Algorithm, key []byte) publicKey {
	if len(key) < 3 {
		return nil
	}
	length, rest := int(key[0]), key[1:]
	if length == 0 {
		length, rest = int(binary.BigEndian.Uint16(rest)), rest[2:]
	}
	if length == 0 || len(rest) <= length || len(rest)-length > maxModulusBits/8+1 {
		return nil
	}
	e := new(big.Int).SetBytes(rest[:length])
	n := new(big.Int).SetBytes(rest[length:])
	least := minModulusBits
	hash := crypto.SHA1
	switch a {
	case RSASHA256:
		hash = crypto.SHA256
	case RSASHA512:
		hash, least = crypto.SHA512, minModulusBitsSHA512
	}
	switch {
	case n.BitLen() < least || n.BitLen() > maxModulusBits || n.Bit(0) == 0:
		return nil
	case e.BitLen() < 2 || !e.IsUint64() || e.Uint64() > maxExponent || e.Bit(0) == 0:
		return nil
	case n.BitLen() < minLibraryBits || e.BitLen() > 31:
		return &oddRSAKey{n, e, hash}
	}
	return &rsaKey{rsa.PublicKey{N: n, E: int(e.Int64())}, hash}
}

func (k *rsaKey) verify(data, signature []byte) bool {
	return rsa.VerifyPKCS1v15(&k.PublicKey, k.hash, digest(k.hash, data), signature) == nil
}

func (k *rsaKey) cost() int { return rsaCost(k.N) }

func (k *oddRSAKey) verify(data, signature []byte) bool {
	size := (k.n.BitLen() + 7) / 8
	if len(signature) != size {
		return false
	}
	s := new(big.Int).SetBytes(signature)
	if s.Cmp(k.n) >= 0 {
		return false
	}
	got := s.Exp(s, k.e, k.n).FillBytes(make([]byte, size))
	want := encodePKCS1(k.hash, digest(k.hash, data), size)
	return want != nil && bytes.Equal(got, want)
}

func (k *oddRSAKey) cost() int { return rsaCost(k.n) }

// rsaCost grows with the square of the modulus's length. crypto/rsa prepares each modulus anew, so that the exponents
// which are taken make no difference by more than a half: BenchmarkRSACost.
func rsaCost(n *big.Int) int { return max(1, n.BitLen()*n.BitLen()/(1<<16)) }

// encodePKCS1 builds what a signature of the hash must decrypt to (RFC 8017, section 9.2), nil if that
// takes more than size octets.
func encodePKCS1(hash crypto.Hash, sum []byte, size int) []byte {
	info := digestInfo[hash]
	fill := size - 3 - len(info) - len(sum)
	if fill < 8 {
		return nil
	}
	em := append(make([]byte, 0, size), 0, 1)
	em = append(em, bytes.Repeat([]byte{0xff}, fill)...)
	em = append(em, 0)
	em = append(em, info...)
	return append(em, sum...)
}

// digestInfo holds the DER prefixes of RFC 8017, section 9.2, note 1.
var digestInfo = map[crypto.Hash][]byte{
	crypto.SHA1:   {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14},
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}

// digest hashes data with SHA-1, SHA-256 or SHA-512.
func digest(hash crypto.Hash, data []byte) []byte {
	switch hash {
	case crypto.SHA256:
		sum := sha256.Sum256(data)
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(data)
		return sum[:]
	}
	sum := sha1.Sum(data)
	return sum[:]
}
