package dnssec

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"

	"filippo.io/nistec"
)

// testP256 makes a key and its signature of data, as they stand in records.
func testP256(t testing.TB, data []byte) (key *p256Key, signature []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature = make([]byte, 2*p256Size)
	r.FillBytes(signature[:p256Size])
	s.FillBytes(signature[p256Size:])
	return parseP256(point[1:]).(*p256Key), signature
}

// slowP256 is verify by the standard library.
func slowP256(t testing.TB, key *p256Key, data, signature []byte) bool {
	t.Helper()
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, key.xy[:]...))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return verifyECDSA(k, sum[:], signature)
}

func TestP256(t *testing.T) {
	order := elliptic.P256().Params().N
	for range 8 {
		data := make([]byte, 50)
		rand.Read(data)
		key, good := testP256(t, data)
		c := newComb(key.point)
		compare := func(what string, signature []byte, want bool) {
			t.Helper()
			if slow := slowP256(t, key, data, signature); slow != want {
				t.Fatalf("%s: the standard library says %v", what, slow)
			}
			if got := key.verify(data, signature); got != want {
				t.Errorf("%s: %v", what, got)
			}
			if got := key.verifyWith(c, data, signature); got != want {
				t.Errorf("%s: %v with a comb", what, got)
			}
		}
		compare("good", good, true)
		// ECDSA does not tell s from -s.
		twin := bytes.Clone(good)
		new(big.Int).Sub(order, new(big.Int).SetBytes(good[p256Size:])).FillBytes(twin[p256Size:])
		compare("negative s", twin, true)
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			compare("a bit changed", bad, false)
		}
		compare("short", good[1:], false)
		compare("long", append(bytes.Clone(good), 0), false)
		compare("none", nil, false)
		special := []*big.Int{new(big.Int), big.NewInt(1), new(big.Int).Sub(order, big.NewInt(1)), order,
			new(big.Int).Add(order, big.NewInt(1)), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))}
		for _, v := range special {
			for _, half := range []int{0, p256Size} {
				bad := bytes.Clone(good)
				v.FillBytes(bad[half : half+p256Size])
				compare("special value", bad, false)
			}
			for _, w := range special {
				compare("special values", append(v.FillBytes(make([]byte, p256Size)), w.FillBytes(make([]byte, p256Size))...), false)
			}
		}
		data[0] ^= 1
		compare("other data", good, false)
	}
}

// A signature whose sum of points is infinity, or needs a doubling, is judged like any other: whoever knows the
// private key can make one.
func TestP256SpecialSums(t *testing.T) {
	order := elliptic.P256().Params().N
	data := []byte("data")
	sum := sha256.Sum256(data)
	hash := new(big.Int).SetBytes(sum[:])
	for _, sign := range []int64{1, -1} {
		// With r the private key d = hash/r times sign, both points are the same, or each other's negative.
		for _, r := range []*big.Int{big.NewInt(7), big.NewInt(1 << 60)} {
			d := new(big.Int).ModInverse(r, order)
			d.Mod(d.Mul(d, hash).Mul(d, big.NewInt(sign)), order)
			point, err := nistec.NewP256Point().ScalarBaseMult(d.FillBytes(make([]byte, p256Size)))
			if err != nil {
				t.Fatal(err)
			}
			key := parseP256(point.Bytes()[1:]).(*p256Key)
			signature := append(r.FillBytes(make([]byte, p256Size)), hash.FillBytes(make([]byte, p256Size))...)
			want := slowP256(t, key, data, signature)
			if got := key.verify(data, signature); got != want {
				t.Errorf("sign %d, r %v: %v, want %v", sign, r, got, want)
			}
			if got := key.verifyWith(newComb(key.point), data, signature); got != want {
				t.Errorf("sign %d, r %v: %v with a comb, want %v", sign, r, got, want)
			}
		}
	}
}

// What is not a point of the curve is no key.
func TestP256Malformed(t *testing.T) {
	key, _ := testP256(t, nil)
	good := key.xy[:]
	if parseP256(good) == nil {
		t.Fatal("a good key is refused")
	}
	wrong := bytes.Clone(good)
	wrong[p256Size] ^= 1
	tooLarge := append(elliptic.P256().Params().P.Bytes(), good[p256Size:]...)
	for _, bad := range [][]byte{wrong, tooLarge, good[1:], append(bytes.Clone(good), 0), make([]byte, 2*p256Size), nil} {
		if parseP256(bad) != nil {
			t.Errorf("% x is taken", bad)
		}
	}
}

func TestComb(t *testing.T) {
	key, _ := testP256(t, nil)
	c := newComb(key.point)
	order := elliptic.P256().Params().N
	scalars := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2), order, new(big.Int).Sub(order, big.NewInt(1)),
		new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))}
	for i := range uint(256) {
		scalars = append(scalars, new(big.Int).Lsh(big.NewInt(1), i))
	}
	for range 64 {
		n, err := rand.Int(rand.Reader, order)
		if err != nil {
			t.Fatal(err)
		}
		scalars = append(scalars, n)
	}
	for _, n := range scalars {
		var scalar [p256Size]byte
		n.FillBytes(scalar[:])
		want, err := nistec.NewP256Point().ScalarMult(key.point, scalar[:])
		if err != nil {
			t.Fatal(err)
		}
		got := nistec.NewP256Point()
		c.multiply(got, &scalar)
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("times %v: % x, want % x", n, got.Bytes(), want.Bytes())
		}
	}
}

func FuzzP256(f *testing.F) {
	data := []byte("data")
	key, good := testP256(f, data)
	f.Add(key.xy[:], data, good)
	f.Fuzz(func(t *testing.T, public, data, signature []byte) {
		_, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, public...))
		k, ok := parseP256(public).(*p256Key)
		if ok != (err == nil) {
			t.Fatalf("% x is a key: %v, and by the standard library: %v", public, ok, err)
		}
		if !ok {
			return
		}
		want := slowP256(t, k, data, signature)
		if got := k.verify(data, signature); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		if got := k.verifyWith(newComb(k.point), data, signature); got != want {
			t.Errorf("%v with a comb, want %v", got, want)
		}
	})
}

func BenchmarkP256(b *testing.B) {
	data := make([]byte, 100)
	key, signature := testP256(b, data)
	hot := new(HotKeys)
	for _, c := range []struct {
		name   string
		verify func() bool
	}{
		{"standard library", func() bool { return slowP256(b, key, data, signature) }},
		{"cold", func() bool { return key.verify(data, signature) }},
		{"hot", func() bool { return hot.verify(key, data, signature) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !c.verify() {
					b.Fatal("not valid")
				}
			}
		})
	}
	b.Run("make a comb", func(b *testing.B) {
		for b.Loop() {
			newComb(key.point)
		}
	})
}
