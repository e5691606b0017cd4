package dnssec

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
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
// DNSKEY records. name is for errors, which tell the line. All errors are joined; what is right is returned
// even so.
func ParseAnchors(name, text string) ([]Anchor, error) {
	var anchors []Anchor
	var errs []error
	z := dns.NewZoneParser(strings.NewReader(text), ".", name)
	z.SetDefaultTTL(0)
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		owner, ds, err := anchorRecord(rr)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: trust anchor %q: %w", name, rr.Header().Name, err))
			continue
		}
		i := slices.IndexFunc(anchors, func(a Anchor) bool { return dname.Equal(a.Zone, owner) })
		if i < 0 {
			i = len(anchors)
			anchors = append(anchors, Anchor{Zone: owner})
		}
		anchors[i].DS = append(anchors[i].DS, ds)
	}
	if err := z.Err(); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", name, err))
	}
	return anchors, errors.Join(errs...)
}

var (
	errAnchorType  = errors.New("want a DS or DNSKEY record of class IN")
	errAnchorKey   = errors.New("key is not a zone key for DNSSEC, or is revoked")
	errAnchorShort = errors.New("record has no digest or no key")
)

// anchorRecord makes a DS record of a DS or DNSKEY record.
func anchorRecord(rr dns.RR) (owner dname.Name, ds DS, err error) {
	name, err := dname.ParseText(nil, rr.Header().Name)
	if err != nil {
		return nil, ds, err
	}
	owner = dname.AppendLower(nil, name)
	rdata, err := packRData(rr)
	if err != nil {
		return nil, ds, err
	}
	ok := false
	switch {
	case rr.Header().Class != dns.ClassINET:
		return nil, ds, errAnchorType
	case rr.Header().Rrtype == dns.TypeDS:
		ds, ok = ParseDS(rdata)
	case rr.Header().Rrtype == dns.TypeDNSKEY:
		if k, ok := ParseDNSKEY(rdata); ok && k.signs() != ReasonNone {
			return nil, ds, errAnchorKey
		}
		ds, ok = MakeDS(owner, rdata, DigestSHA256)
	default:
		return nil, ds, errAnchorType
	}
	if !ok {
		return nil, ds, errAnchorShort
	}
	return owner, ds, nil
}

// packRData returns the RDATA of rr, which has no names in it.
func packRData(rr dns.RR) ([]byte, error) {
	buf := make([]byte, dns.Len(rr))
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return nil, fmt.Errorf("pack %s record: %w", dns.TypeToString[rr.Header().Rrtype], err)
	}
	skip, ok := dname.Skip(buf, 0)
	if !ok || skip+10 > end {
		return nil, errAnchorShort
	}
	return buf[skip+10 : end], nil
}

// Set puts a in the set, in place of the anchor for the same zone. It keeps a's slices.
func (s *Anchors) Set(a Anchor) {
	if s.byZone == nil {
		s.byZone = make(map[string]*Anchor)
	}
	a.Zone = dname.AppendLower(nil, a.Zone)
	s.byZone[string(a.Zone)] = &a
}

// Remove takes the anchor of the zone with the given apex away.
func (s *Anchors) Remove(zone dname.Name) {
	delete(s.byZone, string(dname.AppendLower(nil, zone)))
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
