package dnssec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// tree is a small signed tree: the root, org, example.org, and below it names, an unsigned zone and a broken one.
type tree struct {
	zones   map[string]*signer
	anchors Anchors
	asked   []string
}

func newTree(t testing.TB) *tree {
	t.Helper()
	tr := &tree{zones: map[string]*signer{}}
	for zone, a := range map[string]Algorithm{".": RSASHA256, "org.": ECDSAP256SHA256, "example.org.": ED25519, "broken.example.org.": ED25519} {
		tr.zones[zone] = newSigner(t, zone, a, 257)
	}
	root := tr.zones["."]
	tr.anchors.Set(Anchor{Zone: dnametest.Name("."), DS: []DS{root.ds(t, DigestSHA256)}})
	return tr
}

// delegation returns the response to a DS query.
func (tr *tree) delegation(t testing.TB, n string) *Response {
	org, example := tr.zones["org."], tr.zones["example.org."]
	soa := "example.org. SOA ns.example.org. h.example.org. 1 1 1 1 300\n"
	switch n {
	case "org.":
		return respond(t, n, dns.TypeDS, 0, tr.zones["."].signed(t, org.dsText(t)), nil)
	case "example.org.":
		return respond(t, n, dns.TypeDS, 0, org.signed(t, example.dsText(t)), nil)
	case "broken.example.org.":
		wrong := newSigner(t, n, ED25519, 257)
		return respond(t, n, dns.TypeDS, 0, example.signed(t, wrong.dsText(t)), nil)
	case "ent.example.org.":
		return respond(t, n, dns.TypeDS, 0, nil, example.signed(t, soa+"broken.example.org. NSEC www.ent.example.org. NS DS RRSIG NSEC\n"))
	case "www.ent.example.org.":
		return respond(t, n, dns.TypeDS, 0, nil, example.signed(t, soa+n+" NSEC unsigned.example.org. A RRSIG NSEC\n"))
	case "unsigned.example.org.":
		return respond(t, n, dns.TypeDS, 0, nil, example.signed(t, soa+n+" NSEC www.example.org. NS RRSIG NSEC\n"))
	}
	t.Fatalf("unexpected DS query for %s", n)
	return nil
}

// walk plays the resolver.
func (tr *tree) walk(t testing.TB, v *Validator, p *Part) *Zone {
	a, target, unsigned := tr.anchors.Start(p)
	if unsigned != nil {
		return unsigned
	}
	w := NewWalk(v.ValidateKeys(a.Zone, tr.zones[a.Zone.String()].dnskey(t), a.DS, 3600), target)
	for {
		n, qtype, more := w.Need()
		if !more {
			return w.Zone()
		}
		tr.asked = append(tr.asked, fmt.Sprint(n, " ", qtype))
		if len(tr.asked) > 20 {
			t.Fatalf("the walk to %v does not end: %v", target, tr.asked)
		}
		if qtype == wire.TypeDS {
			w.Delegate(v.ValidateDelegation(tr.delegation(t, n.String()), n, w.Zone()))
		} else {
			ds, ttl := w.DS()
			w.Enter(v.ValidateKeys(n, tr.zones[n.String()].dnskey(t), ds, ttl))
		}
	}
}

func TestWalk(t *testing.T) {
	tr := newTree(t)
	for _, c := range []struct {
		name, target, zone string
		want               Result
		asked              string
	}{
		{"root", ".", ".", Result{Status: Secure}, "[]"},
		{"signed zone", "example.org.", "example.org.", Result{Status: Secure}, "[org. DS org. DNSKEY example.org. DS example.org. DNSKEY]"},
		{"host below an empty non-terminal", "www.ent.example.org.", "example.org.", Result{Status: Secure},
			"[org. DS org. DNSKEY example.org. DS example.org. DNSKEY ent.example.org. DS www.ent.example.org. DS]"},
		{"unsigned zone", "a.b.unsigned.example.org.", "unsigned.example.org.", Result{Insecure, ReasonInsecureDelegation},
			"[org. DS org. DNSKEY example.org. DS example.org. DNSKEY unsigned.example.org. DS]"},
		{"zone with other keys", "www.broken.example.org.", "broken.example.org.", Result{Bogus, ReasonNoDSMatch},
			"[org. DS org. DNSKEY example.org. DS example.org. DNSKEY broken.example.org. DS broken.example.org. DNSKEY]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr.asked = nil
			z := tr.walk(t, testValidator(), &Part{Name: dnametest.Name(c.target), Type: wire.TypeA})
			if z.Name.String() != c.zone || z.Result != c.want || fmt.Sprint(tr.asked) != c.asked {
				t.Errorf("zone %v %v after %v; want %s %v after %s", z.Name, z.Result, tr.asked, c.zone, c.want, c.asked)
			}
		})
	}
}

// TestWalkTakesShortcuts hands in what a resolver has in its cache.
func TestWalkTakesShortcuts(t *testing.T) {
	tr := newTree(t)
	v := testValidator()
	org := tr.zones["org."].link(t)
	w := NewWalk(org, dnametest.Name("www.example.org."))
	// Not asked for: other names, names above, zones without DS records.
	w.Delegate(Delegation{Name: dnametest.Name("example.net."), Result: Result{Status: Insecure}})
	w.Delegate(Delegation{Name: dnametest.Name("org."), Result: Result{Status: Insecure}})
	w.Enter(tr.zones["example.org."].link(t))
	if n, qtype, more := w.Need(); n.String() != "example.org." || qtype != wire.TypeDS || !more || w.Zone() != org {
		t.Errorf("Need = %v %v %v", n, qtype, more)
	}
	w.Delegate(v.ValidateDelegation(tr.delegation(t, "example.org."), dnametest.Name("example.org."), org))
	if ds, ttl := w.DS(); len(ds) != 1 || ttl != 3600 {
		t.Errorf("DS = %v, %d", ds, ttl)
	}
	w.Enter(tr.zones["example.org."].link(t))
	w.Delegate(Delegation{Name: dnametest.Name("www.example.org."), Result: Result{Status: Secure}, NoCut: true})
	if _, _, more := w.Need(); more || w.Zone().Name.String() != "example.org." {
		t.Errorf("the walk goes on at %v", w.Zone().Name)
	}
	insecure := &Zone{Name: dnametest.Name("org."), Result: Result{Status: Insecure}}
	w = NewWalk(insecure, dnametest.Name("www.example.org."))
	if _, _, more := w.Need(); more || w.Zone() != insecure {
		t.Error("the walk goes on below an unsigned zone")
	}
}

func TestAnchors(t *testing.T) {
	var s Anchors
	part := func(n string, qtype wire.Type) *Part { return &Part{Name: dnametest.Name(n), Type: qtype} }
	if _, _, z := s.Start(part("example.", wire.TypeA)); z.Result != (Result{Indeterminate, ReasonNoAnchor}) {
		t.Errorf("without anchors: %v", z)
	}
	s.Set(RootAnchor())
	s.Set(Anchor{Zone: dnametest.Name("Corp.Example."), DS: []DS{{}}})
	s.Set(Anchor{Zone: dnametest.Name("lab.corp.example."), Negative: true})
	for _, c := range []struct {
		p              *Part
		anchor, target string
	}{
		{part("www.example.", wire.TypeA), ".", "www.example."},
		{part("WWW.corp.example.", wire.TypeA), "corp.example.", "WWW.corp.example."},
		{part("corp.example.", wire.TypeDS), ".", "example."},
		{part(".", wire.TypeDS), ".", "."},
		{part("a.LAB.corp.example.", wire.TypeA), "lab.corp.example.", "unsigned"},
		{part("lab.corp.example.", wire.TypeDS), "corp.example.", "corp.example."},
		// A signer above the anchor is not believed, but that it denies the anchor.
		{&Part{Name: dnametest.Name("www.corp.example."), Signer: dnametest.Name("example.")}, "corp.example.", "www.corp.example."},
		{&Part{Name: dnametest.Name("www.corp.example."), Signer: dnametest.Name("example."), Kind: NameError}, ".", "example."},
		{&Part{Name: dnametest.Name("www.corp.example."), Signer: dnametest.Name("corp.example.")}, "corp.example.", "corp.example."},
	} {
		a, target, unsigned := s.Start(c.p)
		got := "unsigned"
		if unsigned == nil {
			got = target.String()
		}
		if a == nil || a.Zone.String() != c.anchor || got != c.target {
			t.Errorf("%v %v: anchor %v, target %v; want %s, %s", c.p.Name, c.p.Type, a, got, c.anchor, c.target)
		}
	}
}

func TestParseAnchors(t *testing.T) {
	s := newSigner(t, "Example.org.", ED25519, 257)
	anchors, err := ParseAnchors("anchors", "; comment\n"+s.dsText(t)+s.key.String()+`
. 3600 IN DS ( 20326 8 2
   E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D ) ; two lines
`)
	if err != nil || len(anchors) != 2 || anchors[0].Zone.String() != "example.org." || len(anchors[0].DS) != 2 || len(anchors[1].DS) != 1 {
		t.Fatalf("ParseAnchors = %v, %v", anchors, err)
	}
	if d := anchors[0].DS; d[0].KeyTag != d[1].KeyTag || string(d[0].Digest) != string(d[1].Digest) {
		t.Errorf("DS %v and DNSKEY %v of one key differ", d[0], d[1])
	}
	for _, bad := range []string{
		"example. A 192.0.2.1", "example. CH DS 1 8 2 00", "example. DS 1 8", "example. DNSKEY 1 3 15 AQID",
		"example. DNSKEY 385 3 15 AQID", "example. DNSKEY 257 2 15 AQID", "!",
	} {
		if got, err := ParseAnchors("anchors", bad+"\n"+s.dsText(t)); err == nil || len(got) > 1 {
			t.Errorf("%q: %v, want an error", bad, got)
		}
	}
	_, err = ParseAnchors("anchors", s.dsText(t)+"example. A 192.0.2.1\n\nexample. DS 1 8\n"+s.dsText(t))
	if err == nil || !strings.Contains(err.Error(), "anchors:2: trust anchor \"example.\": want a DS or DNSKEY record") || !strings.Contains(err.Error(), "\nanchors:4: DS: want more fields") {
		t.Errorf("%v: want both errors with their lines", err)
	}
}
