package dnssec

import (
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"

	"filippo.io/nistec"
)

// p256Size is the length in octets of a coordinate, and of each half of a signature (RFC 6605, section 4).
const p256Size = 32

// p256Key is a key of algorithm 13. It does what crypto/ecdsa does, which the tests compare it with, with what
// does not change from one signature to the next, such as the key's point, made once.
type p256Key struct {
	point *nistec.P256Point
	xy    [2 * p256Size]byte // as in the DNSKEY record
}

// parseP256 reads a key as RFC 6605, section 4, writes it: the coordinates one after the other. It returns nil
// for what is not on the curve.
func parseP256(key []byte) publicKey {
	point, err := nistec.NewP256Point().SetBytes(append([]byte{4}, key...)) // 4: not compressed
	if err != nil || len(key) != 2*p256Size {
		return nil
	}
	return &p256Key{point, [2 * p256Size]byte(key)}
}

func (*p256Key) cost() int { return 60 }

func (k *p256Key) verify(data, signature []byte) bool { return k.verifyWith(nil, data, signature) }

// verifyWith is verify with a comb of the key's point, or nil.
//
// FIPS 186-5, section 6.4.2. All of it is public, so that it need not take the same time whatever the values are.
func (k *p256Key) verifyWith(c *comb, data, signature []byte) bool {
	if len(signature) != 2*p256Size {
		return false
	}
	order := elliptic.P256().Params().N
	r, s := new(big.Int).SetBytes(signature[:p256Size]), new(big.Int).SetBytes(signature[p256Size:])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(order) >= 0 || s.Cmp(order) >= 0 {
		return false
	}
	sum := sha256.Sum256(data)
	inverse, u := new(big.Int).ModInverse(s, order), new(big.Int)
	var scalar [p256Size]byte
	u.Mod(u.Mul(u.SetBytes(sum[:]), inverse), order).FillBytes(scalar[:])
	ofBase, err := nistec.NewP256Point().ScalarBaseMult(scalar[:])
	if err != nil {
		return false
	}
	u.Mod(u.Mul(r, inverse), order).FillBytes(scalar[:])
	ofKey := nistec.NewP256Point()
	if c != nil {
		c.multiply(ofKey, &scalar)
	} else if _, err := ofKey.ScalarMult(k.point, scalar[:]); err != nil {
		return false
	}
	x, err := ofKey.Add(ofKey, ofBase).BytesX()
	if err != nil { // the point at infinity
		return false
	}
	return u.Mod(u.SetBytes(x), order).Cmp(r) == 0
}
