package dnssec

import (
	"bytes"
	"encoding/hex"
	"testing"

	"heimdall/core/wire"
)

// The law for every record type: what is not refused comes back the same, octet for octet, and can be used without
// harm.

func FuzzDNSKEY(f *testing.F) {
	f.Add([]byte{1, 1, 3, 8, 3, 1, 0, 1, 0x80, 0, 0, 1})
	f.Add(append([]byte{1, 1, 3, 13}, make([]byte, 64)...))
	f.Add(append([]byte{1, 1, 3, 16}, make([]byte, 57)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		KeyTag(b)
		k, ok := ParseDNSKEY(b)
		if !ok {
			return
		}
		if got := k.Append(nil); !bytes.Equal(got, b) {
			t.Errorf("% x comes back as % x", b, got)
		}
		if public := parsePublicKey(k.Algorithm, k.PublicKey); public != nil && public.verify(b, b) {
			t.Errorf("% x verifies itself", b)
		}
	})
}

func FuzzDS(f *testing.F) {
	f.Add([]byte{0x4f, 0x66, 8, 2, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := ParseDS(b); ok && !bytes.Equal(d.Append(nil), b) {
			t.Errorf("% x comes back as % x", b, d.Append(nil))
		}
	})
}

func FuzzRRSIG(f *testing.F) {
	f.Add(append(make([]byte, 18), 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 1, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, ok := ParseRRSIG(b); ok && !bytes.Equal(s.Append(nil), b) {
			t.Errorf("% x comes back as % x", b, s.Append(nil))
		}
	})
}

func FuzzNSEC(f *testing.F) {
	f.Add([]byte{1, 'a', 0, 0, 6, 0x40, 1, 0, 0, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok := ParseNSEC(b)
		if !ok {
			return
		}
		if got := n.Append(nil); !bytes.Equal(got, b) {
			t.Errorf("% x comes back as % x", b, got)
		}
		checkBitmap(t, n.Types)
	})
}

func FuzzNSEC3(f *testing.F) {
	f.Add([]byte{1, 1, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd, 2, 1, 2, 0, 1, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok := ParseNSEC3(b)
		if !ok {
			return
		}
		if got := n.Append(nil); !bytes.Equal(got, b) {
			t.Errorf("% x comes back as % x", b, got)
		}
		checkBitmap(t, n.Types)
	})
}

func FuzzNSEC3PARAM(f *testing.F) {
	f.Add([]byte{1, 0, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, rest, ok := parseParam(b); ok && !bytes.Equal(append(p.Append(nil), rest...), b) {
			t.Errorf("% x comes back as % x", b, p.Append(nil))
		}
	})
}

// checkBitmap builds the bit map anew of the types that it says it has.
func checkBitmap(t *testing.T, m Bitmap) {
	var types []wire.Type
	for i := range 1 << 16 {
		if m.Has(wire.Type(i)) {
			types = append(types, wire.Type(i))
		}
	}
	if got := appendBitmap(nil, types...); !bytes.Equal(got, m) {
		t.Errorf("bit map % x has %v, which is % x", m, types, got)
	}
}

// FuzzResponse lets anybody send anything: without the zone's key nothing of it is Secure, and the budget is never
// overdrawn.
func FuzzResponse(f *testing.F) {
	for _, x := range []string{
		"000080000001000100000000076578616d706c650000010001c00c000100010000003c0004c0000201",
		"000080030001000000010000076578616d706c650000010001c00c002f00010000003c000b016100000640010000000300",
		"000080000001000200000000017807" + "6578616d706c650000010001c00e002700010000003c000301790000c00c000500010000003c00050178017900",
	} {
		b, err := hex.DecodeString(x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	s := newSigner(f, ".", ED25519, 256)
	zone := s.link(f)
	f.Fuzz(func(t *testing.T, msg []byte) {
		r, ok := readResponse(msg)
		if !ok {
			return
		}
		v := testValidator()
		v.Budget.HashBlocks = 200
		parts := Plan(r)
		zones := make([]*Zone, len(parts))
		for i := range parts {
			zones[i] = zone
			if target := parts[i].Target(zone.Name); target == nil {
				t.Fatalf("part %v has no target", parts[i])
			}
		}
		verdict := v.Validate(r, parts, zones)
		if verdict.Status == Secure && len(parts) > 0 {
			t.Errorf("% x is secure", msg)
		}
		v.ValidateDelegation(r, r.Name, zone)
		v.ValidateKeys(r.Name, r.find(r.Name, wire.TypeDNSKEY), []DS{s.ds(t, DigestSHA256)}, 60)
		if v.Budget.Signatures < 0 || v.Budget.Failures < 0 || v.Budget.Micros < 0 || v.Budget.HashBlocks < 0 {
			t.Errorf("the budget is overdrawn: %v", *v.Budget)
		}
	})
}

func FuzzTrustPoint(f *testing.F) {
	f.Add(";; zone=. next=1 retry=2\n. 0 IN DNSKEY 257 3 15 AQID ;; state=valid since=1 hold=2 seen=3\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseTrustPoint("fuzz", text)
		if err != nil {
			return
		}
		once := p.AppendText(nil)
		again, err := ParseTrustPoint("fuzz", string(once))
		if err != nil {
			t.Fatalf("%q is refused: %v", once, err)
		}
		if twice := again.AppendText(nil); !bytes.Equal(once, twice) {
			t.Errorf("%q comes back as %q", once, twice)
		}
	})
}

func FuzzAnchors(f *testing.F) {
	f.Add(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D")
	f.Fuzz(func(t *testing.T, text string) {
		anchors, _ := ParseAnchors("fuzz", text)
		var set Anchors
		for _, a := range anchors {
			if len(a.DS) == 0 {
				t.Errorf("%q has an anchor %v without keys", text, a.Zone)
			}
			set.Set(a)
			if got := set.Closest(a.Zone); got == nil || len(got.DS) != len(a.DS) {
				t.Errorf("the anchor of %v is not found", a.Zone)
			}
		}
	})
}
