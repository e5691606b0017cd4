package zone_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// signedAt is a time in seconds since 1970 at which the signatures of the zones in testdata are in force.
const signedAt = 1795500000

// TestSigned: whatever is asked of a signed zone, a validator finds the response secure, or, in an opt-out span, insecure. The zones in testdata were
// signed by dnssec-signzone: with NSEC; with NSEC3, salt and iterations; with NSEC3 and
// opt-out; and two with asterisks in the middle of names, where a wildcard can be an empty non-terminal.
func TestSigned(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.zone")
	if len(files) == 0 {
		t.Fatal("no zones")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer text.Close()
			z, problems := load(t, "example.test.", text, zone.Options{Checks: true, Now: signedAt})
			problems = slices.DeleteFunc(problems, func(p zone.Problem) bool { return p.Type == wire.TypeMX }) // whose hosts have no addresses
			if z == nil || len(problems) > 0 {
				t.Fatal(problems)
			}
			c := newSignedCheck(t, zone.NewSet([]*zone.Zone{z}))
			c.optOut = strings.Contains(file, "optout")
			for _, name := range peerNames(z) {
				if strings.Contains(name, "loop") {
					continue // nothing can be concluded from these
				}
				for _, qtype := range []uint16{dns.TypeA, dns.TypeTXT, dns.TypeNS, dns.TypeDS, dns.TypeCNAME, dns.TypeMX, dns.TypeDNAME, dns.TypeSOA} {
					c.check(query(t, name, qtype, true))
				}
			}
			t.Logf("%d secure, %d in opt-out spans, %d referrals, %d leave the zone", c.secure, c.open, c.referrals, c.leaving)
			if c.secure == 0 || c.referrals == 0 {
				t.Error("nothing was checked")
			}
		})
	}
}

// signedCheck validates responses from one zone.
type signedCheck struct {
	t      *testing.T
	s      *zone.Set
	origin dname.Name
	zone   *dnssec.Zone

	memo   memo
	optOut bool // the zone has opt-out spans

	secure, open, referrals, leaving int
}

func newSignedCheck(t *testing.T, s *zone.Set) *signedCheck {
	c := &signedCheck{t: t, s: s, origin: s.Zones()[0].Origin(), memo: memo{}}
	r := c.read(query(t, "example.test.", dns.TypeDNSKEY, true))
	keys := &r.Sets[0]
	ds, ok := dnssec.MakeDS(c.origin, keySigningKey(t, r), dnssec.DigestSHA256)
	if !ok {
		t.Fatal("make DS")
	}
	c.zone = c.validator().ValidateKeys(c.origin, keys, []dnssec.DS{ds}, 3600)
	if c.zone.Status != dnssec.Secure {
		t.Fatal(c.zone.Result)
	}
	return c
}

func (c *signedCheck) validator() *dnssec.Validator {
	p, b := dnssec.DefaultPolicy(), dnssec.DefaultBudget()
	return &dnssec.Validator{Policy: &p, Now: signedAt, Budget: &b, Memo: c.memo}
}

// memo remembers which signatures are good.
type memo map[dnssec.MemoKey]bool

func (m memo) Get(key dnssec.MemoKey) (valid, ok bool)   { valid, ok = m[key]; return valid, ok }
func (m memo) Put(key dnssec.MemoKey, valid bool, _ int) { m[key] = valid }

func (c *signedCheck) read(q *wire.Query) *dnssec.Response {
	msg, _, ok := c.s.AppendReply(nil, q, 65535, wire.FlagQR)
	if !ok {
		c.t.Fatalf("%s %s: no response", q.Name, q.Type)
	}
	r := &dnssec.Response{Name: q.Name, Type: q.Type, Class: q.Class, Rcode: wire.RcodeOf(wire.Flags(msg)), Complete: true}
	var in wire.Reader
	in.Reset(msg)
	for rr := (wire.RR{}); ; {
		section, more := in.Next(&rr)
		if !more {
			break
		}
		owner, _, _ := dname.Unpack(nil, msg, rr.Owner)
		rdata, ok := wire.UnpackRData(nil, msg, &rr)
		if !ok {
			c.t.Fatalf("%s %s: not readable", q.Name, q.Type)
		}
		typ := rr.Type
		if sig, is := dnssec.ParseRRSIG(rdata); is && typ == wire.TypeRRSIG && q.Type != wire.TypeRRSIG {
			typ = sig.TypeCovered
		}
		at := slices.IndexFunc(r.Sets, func(s dnssec.RRset) bool {
			return s.Section == section && s.Type == typ && dname.Equal(s.Owner, owner)
		})
		if at < 0 {
			at = len(r.Sets)
			r.Sets = append(r.Sets, dnssec.RRset{Owner: owner, Type: typ, Class: rr.Class, Section: section, TTL: rr.TTL})
		}
		set := &r.Sets[at]
		if set.TTL = min(set.TTL, rr.TTL); typ != rr.Type {
			set.Sigs = append(set.Sigs, rdata)
		} else {
			set.Data = append(set.Data, rdata)
		}
	}
	if in.Err() {
		c.t.Fatalf("%s %s: not readable", q.Name, q.Type)
	}
	return r
}

func (c *signedCheck) check(q *wire.Query) {
	r := c.read(q)
	parts := dnssec.Plan(r)
	zones := make([]*dnssec.Zone, len(parts))
	for i := range zones {
		zones[i] = c.zone
	}
	last := &parts[len(parts)-1]
	if last.Kind == dnssec.Referral || cutOf(r, last.Name, c.origin) != nil {
		c.referrals++
		cut := cutOf(r, last.Name, c.origin)
		if d := c.validator().ValidateDelegation(r, cut, c.zone); d.Status == dnssec.Bogus || d.Status == dnssec.Indeterminate {
			c.t.Errorf("%s %s: delegation of %s is %v", q.Name, q.Type, cut, d.Result)
		}
		return
	}
	if !last.Name.In(c.origin) {
		c.leaving++
		parts, zones = parts[:len(parts)-1], zones[:len(parts)-1]
	}
	if q.Type == wire.TypeDS && dname.Equal(last.Name, c.origin) {
		return // that is for the parent to say
	}
	v := c.validator().Validate(r, parts, zones)
	switch {
	case v.Status == dnssec.Secure:
		c.secure++
	case v.Status == dnssec.Insecure && v.Reason == dnssec.ReasonOptOut && c.optOut:
		c.open++ // RFC 5155, section 9.2: in an opt-out span there may be a delegation
	default:
		c.t.Errorf("%s %s: %v", q.Name, q.Type, v.Result)
	}
}

// cutOf returns the owner of the NS RRset in the authority section of a referral.
func cutOf(r *dnssec.Response, name, origin dname.Name) dname.Name {
	for i := range r.Sets {
		if s := &r.Sets[i]; s.Type == wire.TypeNS && s.Section == wire.Authority && !dname.Equal(s.Owner, origin) && name.In(s.Owner) {
			return s.Owner
		}
	}
	return nil
}

// keySigningKey returns the RDATA of the key with the SEP flag.
func keySigningKey(t *testing.T, r *dnssec.Response) []byte {
	for _, rdata := range r.Sets[0].Data {
		if rdata[1]&1 != 0 {
			return rdata
		}
	}
	t.Fatal("no key signing key")
	return nil
}
