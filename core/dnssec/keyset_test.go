package dnssec

import (
	"math/big"
	"sync"
	"testing"

	"heimdall/core/dname/dnametest"
)

func TestValidateKeys(t *testing.T) {
	const zone = "example.org."
	ksk := newSigner(t, zone, ECDSAP256SHA256, 257)
	other := newSigner(t, zone, ECDSAP256SHA256, 257)
	bad := func(d DS) DS { d.Digest = append([]byte{d.Digest[0] ^ 1}, d.Digest[1:]...); return d }
	short := func(d DS) DS { d.Digest = d.Digest[:10]; return d }
	with := func(d DS, a Algorithm, t DigestType) DS { d.Algorithm, d.DigestType = a, t; return d }
	good := ksk.ds(t, DigestSHA256)
	for _, c := range []struct {
		name string
		ds   []DS
		set  func() *RRset
		want Result
	}{
		{"SHA-256", []DS{good}, nil, Result{Status: Secure}},
		{"SHA-384", []DS{ksk.ds(t, DigestSHA384)}, nil, Result{Status: Secure}},
		{"SHA-1", []DS{ksk.ds(t, DigestSHA1)}, nil, Result{Status: Secure}},
		{"the second DS", []DS{other.ds(t, DigestSHA256), good}, nil, Result{Status: Secure}},
		{"unknown ones besides", []DS{with(good, 200, 2), with(good, 13, 77), good}, nil, Result{Status: Secure}},
		// RFC 4509, section 3.
		{"SHA-1 beside a wrong SHA-256", []DS{ksk.ds(t, DigestSHA1), bad(good)}, nil, Result{Bogus, ReasonNoDSMatch}},
		{"SHA-1 beside a SHA-256 of an unknown algorithm", []DS{ksk.ds(t, DigestSHA1), with(good, 200, 2)}, nil, Result{Status: Secure}},
		{"wrong digest", []DS{bad(good)}, nil, Result{Bogus, ReasonNoDSMatch}},
		{"digest cut short", []DS{short(good)}, nil, Result{Bogus, ReasonNoDSMatch}},
		{"a key that did not sign", []DS{other.ds(t, DigestSHA256)}, nil, Result{Bogus, ReasonNoKey}},
		{"a key that is not there", []DS{other.ds(t, DigestSHA256)}, func() *RRset { return ksk.dnskey(t) }, Result{Bogus, ReasonNoDSMatch}},
		{"unknown algorithm", []DS{with(good, 200, 2)}, nil, Result{Insecure, ReasonUnsupportedAlgorithm}},
		{"unknown digest", []DS{with(good, 13, 77)}, nil, Result{Insecure, ReasonUnsupportedDigest}},
		{"no DS", nil, nil, Result{Insecure, ReasonUnsupportedAlgorithm}},
		{"no DNSKEY", []DS{good}, func() *RRset { return nil }, Result{Bogus, ReasonNoKeys}},
		{"unsigned", []DS{good}, func() *RRset { s := ksk.dnskey(t); s.Sigs = nil; return s }, Result{Bogus, ReasonUnsigned}},
		{"signed by a key without DS", []DS{good}, func() *RRset { return other.dnskey(t, ksk.key) }, Result{Bogus, ReasonNoKey}},
		{"other zone's", []DS{good}, func() *RRset { s := ksk.dnskey(t); s.Owner = dnametest.Name("example.net."); return s }, Result{Bogus, ReasonNoKeys}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.set == nil {
				c.set = func() *RRset { return ksk.dnskey(t, other.key) }
			}
			z := testValidator().ValidateKeys(dnametest.Name("Example.ORG."), c.set(), c.ds, 1800)
			if z.Result != c.want || z.Name.String() != zone {
				t.Errorf("ValidateKeys = %v %v, want %v", z.Name, z.Result, c.want)
			}
			if (z.Keys != nil) != (c.want.Status == Secure) || z.Status != Bogus && z.TTL != 1800 || z.Status == Bogus && z.TTL != brokenTTL {
				t.Errorf("keys %v, TTL %d", z.Keys, z.TTL)
			}
		})
	}
}

func TestValidateKeysFlags(t *testing.T) {
	for _, c := range []struct {
		flags uint16
		want  Result
	}{
		{256, Result{Status: Secure}}, // no SEP: that is only a hint
		{1, Result{Bogus, ReasonNoZoneKeyBit}},
		{257 | FlagRevoke, Result{Bogus, ReasonKeyRevoked}},
	} {
		s := newSigner(t, "example.org.", ED25519, c.flags)
		if z := testValidator().ValidateKeys(dnametest.Name("example.org."), s.dnskey(t), []DS{s.ds(t, DigestSHA256)}, 60); z.Result != c.want {
			t.Errorf("flags %d: %v, want %v", c.flags, z.Result, c.want)
		}
	}
}

func TestSHA1Policy(t *testing.T) {
	old := newSigner(t, "example.org.", RSASHA1, 257)
	v := testValidator()
	v.Policy.SHA1 = false
	if z := v.ValidateKeys(dnametest.Name("example.org."), old.dnskey(t), []DS{old.ds(t, DigestSHA256)}, 60); z.Result != (Result{Insecure, ReasonUnsupportedAlgorithm}) {
		t.Errorf("RSASHA1 without SHA1: %v", z.Result)
	}
	s := newSigner(t, "example.org.", ED25519, 257)
	if z := v.ValidateKeys(dnametest.Name("example.org."), s.dnskey(t), []DS{s.ds(t, DigestSHA1)}, 60); z.Result != (Result{Insecure, ReasonUnsupportedDigest}) {
		t.Errorf("SHA-1 digest without SHA1: %v", z.Result)
	}
}

func TestKeySetIsBounded(t *testing.T) {
	set := &RRset{}
	for i := range 200 {
		set.Data = append(set.Data, []byte{1, 0, 3, 15, byte(i)}, []byte{1, 0, 3, 15, byte(i)}, []byte{1, 0})
	}
	p := DefaultPolicy()
	if keys := p.newKeySet(dnametest.Name("example."), set); len(keys.keys) != p.MaxKeys {
		t.Errorf("%d keys taken, want %d different ones", len(keys.keys), p.MaxKeys)
	}
}

func TestChooseDSIsBounded(t *testing.T) {
	p := DefaultPolicy()
	ds := make([]DS, 1000)
	for i := range ds {
		ds[i] = DS{Algorithm: ED25519, DigestType: DigestSHA256}
	}
	if chosen, _ := p.chooseDS(ds); len(chosen) != p.MaxKeys {
		t.Errorf("%d DS records chosen, want %d", len(chosen), p.MaxKeys)
	}
}

// TestKeySetIsShared verifies from several goroutines at once; the race detector is the judge.
func TestKeySetIsShared(t *testing.T) {
	for _, a := range algorithms {
		s := newSigner(t, "example.org.", a, 256)
		keys, set := s.link(t).Keys, s.set(t, "www.example.org. A 192.0.2.1")
		var wg sync.WaitGroup
		for range 4 {
			mine := *set
			wg.Go(func() {
				if r := testValidator().Verify(&mine, keys); r.Status != Secure {
					t.Errorf("%v: %v", a, r)
				}
			})
		}
		wg.Wait()
	}
}

func TestKeyTagOfRSAMD5(t *testing.T) {
	if tag := KeyTag([]byte{1, 0, 3, 1, 9, 9, 0x12, 0x34, 0x56}); tag != 0x1234 {
		t.Errorf("KeyTag = %#x, want the 16 bits before the last octet", tag)
	}
}

// TestRSAKeys builds keys of all shapes.
func TestRSAKeys(t *testing.T) {
	modulus := func(octets int) []byte {
		n := make([]byte, octets)
		n[0], n[octets-1] = 0x80, 1
		return n
	}
	for _, c := range []struct {
		name      string
		algorithm Algorithm
		key       []byte
		want      string
	}{
		{"1024 bits", RSASHA256, append([]byte{3, 1, 0, 1}, modulus(128)...), "library"},
		{"512 bits", RSASHA256, append([]byte{3, 1, 0, 1}, modulus(64)...), "own"},
		{"512 bits, SHA-512", RSASHA512, append([]byte{3, 1, 0, 1}, modulus(64)...), ""},
		{"504 bits", RSASHA256, append([]byte{3, 1, 0, 1}, modulus(63)...), ""},
		{"4096 bits", RSASHA512, append([]byte{3, 1, 0, 1}, modulus(512)...), "library"},
		{"4104 bits", RSASHA256, append([]byte{3, 1, 0, 1}, modulus(513)...), ""},
		{"exponent 3", RSASHA256, append([]byte{1, 3}, modulus(256)...), "library"},
		{"exponent 2^32+1", RSASHA256, append([]byte{5, 1, 0, 0, 0, 1}, modulus(256)...), "own"},
		{"exponent 2^32-1", RSASHA256, append([]byte{4, 0xff, 0xff, 0xff, 0xff}, modulus(256)...), "own"},
		{"exponent 2^32+1 after zeros", RSASHA256, append([]byte{7, 0, 0, 1, 0, 0, 0, 1}, modulus(256)...), "own"},
		{"exponent 2^32+3", RSASHA256, append([]byte{5, 1, 0, 0, 0, 3}, modulus(256)...), ""},
		{"exponent of 33 bits", RSASHA256, append([]byte{5, 1, 0xff, 0xff, 0xff, 0xff}, modulus(256)...), ""},
		{"exponent of 34 bits", RSASHA1, append([]byte{5, 2, 0, 0, 0, 1}, modulus(128)...), ""},
		{"exponent of 64 bits", RSASHA512, append([]byte{8, 255, 255, 255, 255, 255, 255, 255, 255}, modulus(512)...), ""},
		{"exponent of 65 bits", RSASHA256, append([]byte{9, 1, 0, 0, 0, 0, 0, 0, 0, 1}, modulus(256)...), ""},
		{"exponent in long form", RSASHA256, append([]byte{0, 0, 3, 1, 0, 1}, modulus(256)...), "library"},
		{"exponent 1", RSASHA256, append([]byte{1, 1}, modulus(256)...), ""},
		{"even exponent", RSASHA256, append([]byte{1, 4}, modulus(256)...), ""},
		{"no exponent", RSASHA256, append([]byte{0, 0, 0}, modulus(256)...), ""},
		{"no modulus", RSASHA256, []byte{3, 1, 0, 1}, ""},
		{"even modulus", RSASHA256, append([]byte{3, 1, 0, 1}, make([]byte, 128)...), ""},
		{"two octets", RSASHA256, []byte{0, 1}, ""},
	} {
		got := ""
		switch parsePublicKey(c.algorithm, c.key).(type) {
		case *rsaKey:
			got = "library"
		case *oddRSAKey:
			got = "own"
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestOddRSA holds the verification for what crypto/rsa refuses against crypto/rsa, with a key that both take.
func TestOddRSA(t *testing.T) {
	for _, a := range []Algorithm{RSASHA1, RSASHA256, RSASHA512} {
		s := newSigner(t, "example.org.", a, 257)
		set := s.set(t, "www.example.org. A 192.0.2.1")
		sig, _ := ParseRRSIG(set.Sigs[0])
		key, _ := ParseDNSKEY(rdata(t, s.key))
		lib := parsePublicKey(a, key.PublicKey).(*rsaKey)
		odd := &oddRSAKey{lib.N, big.NewInt(int64(lib.E)), lib.hash}
		data := newCanonical(set).signed(&sig)
		for i := range len(sig.Signature) + 1 {
			if i > 0 {
				sig.Signature[i-1] ^= 0x10
			}
			if want, got := lib.verify(data, sig.Signature), odd.verify(data, sig.Signature); got != want || want != (i == 0) {
				t.Fatalf("%v, octet %d changed: %v, crypto/rsa says %v", a, i, got, want)
			}
			if i > 0 {
				sig.Signature[i-1] ^= 0x10
			}
		}
		if odd.verify(data, sig.Signature[1:]) || odd.verify(data, append([]byte{0}, sig.Signature...)) {
			t.Errorf("%v: signature of the wrong length is taken", a)
		}
	}
}
