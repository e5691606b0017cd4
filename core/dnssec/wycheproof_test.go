package dnssec

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// wycheproofFile is a file of Project Wycheproof's vectors for signatures. Of a group's public key it has the fields
// of one of the kinds, all of them hexadecimal.
type wycheproofFile struct {
	NumberOfTests int
	TestGroups    []struct {
		PublicKey struct {
			Modulus, PublicExponent string // RSA
			Uncompressed            string // ECDSA: 4 and the coordinates
			PK                      string // EdDSA
		}
		Tests []struct {
			TcID             int
			Comment          string
			Msg, Sig, Result string
		}
	}
}

// wycheproofFiles tells what the files are for, and how many vectors each has.
var wycheproofFiles = []struct {
	name      string
	algorithm Algorithm
	vectors   int
}{
	{"rsa_signature_2048_sha256", RSASHA256, 259},
	{"rsa_signature_3072_sha256", RSASHA256, 259},
	{"rsa_signature_4096_sha256", RSASHA256, 258},
	{"rsa_signature_2048_sha512", RSASHA512, 259},
	{"rsa_signature_3072_sha512", RSASHA512, 260},
	{"rsa_signature_4096_sha512", RSASHA512, 259},
	{"ecdsa_secp256r1_sha256_p1363", ECDSAP256SHA256, 262},
	{"ecdsa_secp384r1_sha384_p1363", ECDSAP384SHA384, 280},
	{"ed25519", ED25519, 151},
	{"ed448", ED448, 87},
}

// TestWycheproof verifies each vector's signature, read from RRSIG RDATA, with its key, read from DNSKEY RDATA. The
// messages are no RRsets: they stand in for what RRSIG RDATA and the RRset's canonical form make.
func TestWycheproof(t *testing.T) {
	for _, f := range wycheproofFiles {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			file := readWycheproof(t, f.name)
			run := map[string]int{}
			for _, g := range file.TestGroups {
				var public []byte
				switch k := &g.PublicKey; f.algorithm {
				case RSASHA256, RSASHA512:
					public = rsaWire(unhex(t, k.PublicExponent), unhex(t, k.Modulus))
				case ECDSAP256SHA256, ECDSAP384SHA384:
					public = unhex(t, k.Uncompressed)[1:]
				default:
					public = unhex(t, k.PK)
				}
				verify := wycheproofVerifier(t, f.algorithm, public)
				for _, c := range g.Tests {
					run[c.Result]++
					got := verify(unhex(t, c.Msg), unhex(t, c.Sig))
					switch {
					case c.Result == "valid" && !got, c.Result == "invalid" && got:
						t.Errorf("vector %d (%s): accepted %v, but it is %s", c.TcID, c.Comment, got, c.Result)
					case c.Result == "acceptable" && got:
						// All of them are RSA without NULL in the hash's identifier, as old signers wrote it. RFC 5702,
						// section 3, gives the prefix with it.
						t.Errorf("vector %d (%s): accepted, unlike the prefix of RFC 5702", c.TcID, c.Comment)
					}
				}
			}
			total := run["valid"] + run["invalid"] + run["acceptable"]
			if len(run) > 3 || total != f.vectors || total != file.NumberOfTests || run["valid"] == 0 || run["invalid"] == 0 {
				t.Errorf("vectors run: %v, want %d in all; the file says %d", run, f.vectors, file.NumberOfTests)
			}
		})
	}
}

// TestWycheproofFiles looks for files that no test runs, and for what their licence asks for.
func TestWycheproofFiles(t *testing.T) {
	found, err := filepath.Glob("testdata/wycheproof/*.json.gz")
	if err != nil || len(found) != len(wycheproofFiles) {
		t.Errorf("%d files of vectors, %v, want %d", len(found), err, len(wycheproofFiles))
	}
	if text, err := os.ReadFile("testdata/wycheproof/LICENSE"); err != nil || !bytes.Contains(text, []byte("Apache License")) {
		t.Errorf("licence of the vectors: %v", err)
	}
}

// wycheproofVerifier returns what verifies signatures with a key in all the ways that this package has for it, which
// must agree.
func wycheproofVerifier(t *testing.T, a Algorithm, public []byte) func(msg, signature []byte) bool {
	t.Helper()
	v := testValidator()
	set := &RRset{Type: wire.TypeDNSKEY, Class: wire.ClassIN,
		Data: [][]byte{DNSKEY{Flags: FlagZone, Protocol: protocolDNSSEC, Algorithm: a, PublicKey: public}.Append(nil)}}
	keys := v.Policy.newKeySet(dnametest.Name("example."), set)
	if len(keys.keys) != 1 || keys.keys[0].usable(set, keys.zone) != ReasonNone {
		t.Fatalf("the key %x is refused", public)
	}
	key := &keys.keys[0]
	other := key.public.verify
	switch k := key.public.(type) {
	case *rsaKey: // the way of short keys and long exponents
		other = (&oddRSAKey{k.N, big.NewInt(int64(k.E)), k.hash}).verify
	case *p256Key: // the way of keys that are used often
		c := newComb(k.point)
		other = func(msg, signature []byte) bool { return k.verifyWith(c, msg, signature) }
	}
	return func(msg, signature []byte) bool {
		form := RRSIG{TypeCovered: wire.TypeA, Algorithm: a, Labels: 1, KeyTag: key.tag, Signer: keys.zone, Signature: signature}
		sig, ok := ParseRRSIG(form.Append(nil))
		if ok != (len(signature) > 0) {
			t.Fatalf("ParseRRSIG of a signature of %d octets: %v", len(signature), ok)
		}
		*v.Budget = Budget{Signatures: 1, Failures: 1, Micros: key.public.cost() + len(msg)}
		got, why := v.verifyOne(key, msg, sig.Signature)
		if why == ReasonSignatureBudget || got != other(msg, sig.Signature) {
			t.Errorf("%v of %x: %v, %v; the other way says %v", a, msg, got, why, !got)
		}
		return got && ok
	}
}

// rsaWire returns the key as RFC 3110, section 2, writes it, without leading zeros.
func rsaWire(exponent, modulus []byte) []byte {
	exponent, modulus = bytes.TrimLeft(exponent, "\x00"), bytes.TrimLeft(modulus, "\x00")
	return append(append([]byte{byte(len(exponent))}, exponent...), modulus...)
}

func readWycheproof(t *testing.T, name string) (file wycheproofFile) {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", "wycheproof", name+".json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	text, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(text).Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
