package dnssec

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zonefile"
)

// Anchor is a trust anchor: what is known of a zone without asking anybody.
type Anchor struct {
	Zone dname.Name // lower case
	DS   []DS       // of the keys that are trusted; not for a negative anchor
	// Negative says that nothing at or below Zone is validated (RFC 7646).
	Negative bool
}

// Anchors is a set of trust anchors, at most one a zone. The zero value is empty, so that everything is
// indeterminate. Not safe for concurrent use.
type Anchors struct {
	byZone map[string]*Anchor
}

// rootKeys are the DS records of the root zone's key signing keys, as IANA publishes them at
// https://data.iana.org/root-anchors/root-anchors.xml.
var rootKeys = []struct {
	tag    uint16
	digest string // SHA-256
}{
	{20326, "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"}, // of 2017
	{38696, "683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16"}, // of 2024
}

// RootAnchor returns the trust anchor of the root zone that is built in.
func RootAnchor() Anchor {
	a := Anchor{Zone: dname.Root()}
	for _, k := range rootKeys {
		digest, _ := hex.DecodeString(k.digest) // cannot fail: the table is tested
		a.DS = append(a.DS, DS{KeyTag: k.tag, Algorithm: RSASHA256, DigestType: DigestSHA256, Digest: digest})
	}
	return a
}

// ParseAnchors reads trust anchors in the form of a master file (RFC 1035, section 5.1) with nothing but DS and
// DNSKEY records. name is for the error, which has all that is wrong, one a line, with the line; what is right is
// returned even so.
func ParseAnchors(name, text string) ([]Anchor, error) {
	var anchors []Anchor
	err := readRecords(name, text, func(r *zonefile.Record) error {
		owner := dname.Name(dname.AppendLower(nil, r.Owner))
		ds, err := anchorRecord(owner, r)
		if err != nil {
			return fmt.Errorf("trust anchor %q: %w", owner, err)
		}
		i := slices.IndexFunc(anchors, func(a Anchor) bool { return dname.Equal(a.Zone, owner) })
		if i < 0 {
			i = len(anchors)
			anchors = append(anchors, Anchor{Zone: owner})
		}
		anchors[i].DS = append(anchors[i].DS, ds)
		return nil
	})
	return anchors, err
}

// readRecords calls f with each record of a master file whose records may have no TTL.
func readRecords(name, text string, f func(*zonefile.Record) error) error {
	return zonefile.EveryError(zonefile.Read(strings.NewReader(text), zonefile.Options{Name: name, HasTTL: true}, f))
}

var (
	errAnchorType  = errors.New("want a DS or DNSKEY record of class IN")
	errAnchorKey   = errors.New("key is not a zone key for DNSSEC, or is revoked")
	errAnchorShort = errors.New("record has no digest or no key")
)

// anchorRecord makes a DS record of a DS or DNSKEY record. It keeps nothing of it.
func anchorRecord(owner dname.Name, r *zonefile.Record) (ds DS, err error) {
	rdata := slices.Clone(r.RData)
	ok := false
	switch {
	case r.Class != wire.ClassIN:
		return ds, errAnchorType
	case r.Type == wire.TypeDS:
		ds, ok = ParseDS(rdata)
	case r.Type == wire.TypeDNSKEY:
		if k, ok := ParseDNSKEY(rdata); ok && k.signs() != ReasonNone {
			return ds, errAnchorKey
		}
		ds, ok = MakeDS(owner, rdata, DigestSHA256)
	default:
		return ds, errAnchorType
	}
	if !ok {
		return ds, errAnchorShort
	}
	return ds, nil
}

// Set puts a in the set, in place of the anchor for the same zone. It keeps a's slices.
func (s *Anchors) Set(a Anchor) {
	if s.byZone == nil {
		s.byZone = make(map[string]*Anchor)
	}
	a.Zone = dname.AppendLower(nil, a.Zone)
	s.byZone[string(a.Zone)] = &a
}

// Closest returns the anchor of the deepest zone that name is in, nil if there is none. It is borrowed.
func (s *Anchors) Closest(name dname.Name) *Anchor {
	if len(s.byZone) == 0 {
		return nil
	}
	var buf [dname.MaxLen]byte
	for n := dname.Name(dname.AppendLower(buf[:0], name)); n != nil; n = n.Parent() {
		if a := s.byZone[string(n)]; a != nil {
			return a
		}
	}
	return nil
}

// Start returns where the walk for p begins and where it leads. If no zone need be asked, unsigned is the
// outcome already: no anchor covers the part's name, or a negative one does.
func (s *Anchors) Start(p *Part) (a *Anchor, target dname.Name, unsigned *Zone) {
	name := p.Name
	if p.Type == wire.TypeDS && p.Kind != Alias && !name.IsRoot() {
		name = name.Parent() // DS records are the parent's
	}
	a = s.Closest(name)
	if a != nil && p.Kind == NameError && p.Signer != nil && !p.Signer.In(a.Zone) {
		// A zone above the anchor says that not even the anchor's zone exists.
		a = s.Closest(p.Signer)
	}
	switch {
	case a == nil:
		return nil, nil, &Zone{Name: dname.Root(), Result: Result{Indeterminate, ReasonNoAnchor}}
	case a.Negative:
		return a, nil, &Zone{Name: a.Zone, Result: Result{Insecure, ReasonNegativeAnchor}}
	}
	return a, p.Target(a.Zone), nil
}
