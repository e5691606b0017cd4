package dnssec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
)

// rollover plays a zone whose keys change, seen by a trust point.
type rollover struct {
	t    *testing.T
	p    *TrustPoint
	now  int64
	ttl  uint32
	keys map[string]*signer
}

func newRollover(t *testing.T, seed ...string) *rollover {
	r := &rollover{t: t, p: &TrustPoint{Zone: dnametest.Name(".")}, now: testNow, ttl: 86400, keys: map[string]*signer{}}
	for _, k := range []string{"one", "two", "three"} {
		r.keys[k] = newSigner(t, ".", ED25519, 257)
	}
	for _, k := range seed {
		r.p.Seed = append(r.p.Seed, r.keys[k].ds(t, DigestSHA256))
	}
	return r
}

// see shows the trust point a DNSKEY RRset of some keys, signed by some; "-one" is key one revoked.
func (r *rollover) see(keys, signers string) Observation {
	r.t.Helper()
	var rrs []dns.RR
	by := map[string]*signer{}
	for _, k := range strings.Fields(keys + " " + signers) {
		s := *r.keys[strings.TrimPrefix(k, "-")]
		key := *s.key
		if k[0] == '-' {
			key.Flags |= FlagRevoke
		}
		key.Hdr.Ttl = r.ttl
		s.key, s.inception, s.expiration = &key, uint32(r.now)-day, uint32(r.now)+20*day
		by[k] = &s
	}
	for _, k := range strings.Fields(keys) {
		rrs = append(rrs, by[k].key)
	}
	signed := slices.Clone(rrs)
	for _, k := range strings.Fields(signers) {
		signed = append(signed, by[k].sign(r.t, rrs))
	}
	v := testValidator()
	v.Now = r.now
	return r.p.Observe(v, rrset(r.t, signed))
}

// states lists the keys' states.
func (r *rollover) states() string {
	var list []string
	for _, n := range []string{"one", "two", "three"} {
		for _, k := range r.p.Keys {
			if string(k.RData) == string(rdata(r.t, r.keys[n].key)) {
				list = append(list, fmt.Sprint(n, " ", k.State))
			}
		}
	}
	return strings.Join(list, ", ")
}

func (r *rollover) want(states string, trusted int) {
	r.t.Helper()
	if got := r.states(); got != states || len(r.p.Anchor().DS) != trusted {
		r.t.Errorf("day %d: %q, %d keys trusted; want %q, %d", (r.now-testNow)/day, got, len(r.p.Anchor().DS), states, trusted)
	}
}

func TestTrustPointRollover(t *testing.T) {
	r := newRollover(t, "one")
	r.want("", 1)
	if o := r.see("one", "one"); o.Status != Secure || !o.Changed || o.Keys == nil {
		t.Fatalf("the first response: %+v", o)
	}
	r.want("one valid", 1)

	// A new key is pending for 30 days.
	r.now += 10 * day
	r.see("one two", "one")
	r.want("one valid, two pending", 1)
	r.now += 29 * day
	r.see("one two", "one")
	r.want("one valid, two pending", 1)
	r.now += day - 1
	r.see("one two", "one")
	r.want("one valid, two pending", 1)
	r.now++
	r.see("one two", "one")
	r.want("one valid, two valid", 2)

	// The old one goes away, and comes back revoked.
	r.now += day
	r.see("two", "two")
	r.want("one missing, two valid", 2)
	r.see("one two", "one")
	r.want("one valid, two valid", 2)
	r.now += day
	if o := r.see("-one two", "-one two"); o.Status != Secure || !o.Changed {
		t.Errorf("revocation: %+v", o)
	}
	r.want("one revoked, two valid", 1)
	r.now += 30 * day
	r.see("two", "two")
	r.want("one removed, two valid", 1)
	// The operator's trust in it does not come back, not even if the key does.
	r.see("one two", "two")
	r.want("one removed, two valid", 1)
	if o := r.see("one", "one"); o.Status != Bogus {
		t.Errorf("the removed key alone: %v", o.Result)
	}
}

func TestTrustPointAddHoldDown(t *testing.T) {
	// A key that is away for one response starts anew.
	r := newRollover(t, "one")
	r.see("one two", "one")
	r.now += 20 * day
	r.see("one", "one")
	r.want("one valid", 1)
	r.now += day
	r.see("one two", "one")
	r.now += 20 * day
	r.see("one two", "one")
	r.want("one valid, two pending", 1)

	// One response before and one after are not enough on their own if the clock was wrong: two must have shown
	// the key before it is trusted, which here they have.
	r = newRollover(t, "one")
	r.see("one two", "one")
	r.now += 300 * day
	r.see("one two", "one")
	r.want("one valid, two valid", 2)

	// A TTL longer than the hold-down counts instead.
	r = newRollover(t, "one")
	r.ttl = 40 * day
	r.see("one two", "one")
	r.now += 39 * day
	r.see("one two", "one")
	r.want("one valid, two pending", 1)
	r.now += day
	r.see("one two", "one")
	r.want("one valid, two valid", 2)
}

func TestTrustPointNeedsTrustedSignature(t *testing.T) {
	r := newRollover(t, "one")
	r.see("one", "one")
	// A new key that vouches for itself.
	if o := r.see("one two", "two"); o.Status != Bogus || o.Changed {
		t.Errorf("signed by an unknown key: %+v", o)
	}
	r.want("one valid", 1)
	// A revocation that the key has not signed.
	if o := r.see("-one two", "two"); o.Status != Bogus {
		t.Errorf("revoked by another: %+v", o)
	}
	r.want("one valid", 1)
	if r.p.Next != r.now+minInterval && r.p.Next > r.now+day {
		t.Errorf("after a failure the next query is in %d seconds", r.p.Next-r.now)
	}
}

func TestTrustPointWithoutKeys(t *testing.T) {
	r := newRollover(t, "one")
	r.see("one", "one")
	if o := r.see("-one two", "-one"); !o.Changed || o.Status != Insecure {
		t.Errorf("the last key revoked: %+v", o)
	}
	r.want("one revoked", 0)
}

func TestTrustPointSeeds(t *testing.T) {
	// Two keys to begin with, of which one is not in use yet.
	r := newRollover(t, "one", "two")
	r.see("one", "one")
	r.want("one valid", 2)
	r.see("one two three", "one")
	r.want("one valid, two valid, three pending", 2)
	// A seed that is revoked before it was ever seen.
	r = newRollover(t, "one", "two")
	r.see("one -two", "one -two")
	r.want("one valid, two revoked", 1)
}

func TestTrustPointForgetsMissing(t *testing.T) {
	r := newRollover(t, "one", "two")
	r.see("one two", "one")
	r.see("two", "two")
	r.want("one missing, two valid", 2)
	r.now += keepMissing
	r.see("two", "two")
	r.want("one removed, two valid", 1)
	// But not the last one.
	r = newRollover(t, "one")
	r.see("one", "one")
	r.p.Keys[0].State, r.p.Keys[0].Since = KeyMissing, 0
	r.want("one missing", 1)
}

func TestTrustPointSchedule(t *testing.T) {
	for _, c := range []struct {
		ttl         uint32
		next, retry int64
	}{
		{86400, 43200, 8640}, {600, 3600, 3600}, {100 * day, 10 * day, day},
	} {
		r := newRollover(t, "one")
		r.ttl = c.ttl
		r.see("one", "one")
		if r.p.Next-r.now != c.next || r.p.Retry != c.retry {
			t.Errorf("TTL %d: next in %d s, retry in %d s; want %d, %d", c.ttl, r.p.Next-r.now, r.p.Retry, c.next, c.retry)
		}
		r.p.Fail(r.now)
		if r.p.Next-r.now != c.retry {
			t.Errorf("TTL %d: after a failure next in %d s, want %d", c.ttl, r.p.Next-r.now, c.retry)
		}
	}
}

func TestTrustPointIsBounded(t *testing.T) {
	r := newRollover(t, "one")
	var rrs []dns.RR
	for range 40 {
		rrs = append(rrs, newSigner(t, ".", ED25519, 257).key)
	}
	one := r.keys["one"]
	rrs = append([]dns.RR{one.key}, rrs...)
	v := testValidator()
	r.p.Observe(v, rrset(t, append(rrs, one.sign(t, rrs))))
	if len(r.p.Keys) != maxTracked {
		t.Errorf("%d keys tracked, want %d", len(r.p.Keys), maxTracked)
	}
}

func TestTrustPointText(t *testing.T) {
	r := newRollover(t, "one", "two")
	r.see("one three", "one")
	text := string(r.p.AppendText(nil))
	got, err := ParseTrustPoint("state", text)
	if err != nil {
		t.Fatal(err)
	}
	got.Seed = r.p.Seed
	if want := fmt.Sprint(*r.p); fmt.Sprint(*got) != want {
		t.Errorf("%s comes back as %v, want %s", text, *got, want)
	}
	// It is a file of trust anchors too.
	if anchors, err := ParseAnchors("state", text); err != nil || len(anchors) != 1 || len(anchors[0].DS) != 2 {
		t.Errorf("ParseAnchors = %v, %v", anchors, err)
	}
	key := strings.Split(text, "\n")[2]
	for _, bad := range []string{
		"", key, ";; zone=.\n" + key + "\n" + key, ";; zone=example.\n" + key, ";; zone=.\n. A 192.0.2.1 ;; state=valid",
		";; zone=.\n. DNSKEY 257 3 15 ;; state=valid", ";; zone=.. next=1", ";; zone=. next=x", ";; zone=. since=1",
		";; zone=.\n" + strings.Replace(key, "state=valid", "state=great", 1), ";; zone=.\n" + strings.Replace(key, "since=", "sense=", 1),
		";; zone=.\n. DNSKEY 385 3 15 AQID ;; state=valid",
	} {
		if p, err := ParseTrustPoint("state", bad); err == nil {
			t.Errorf("%q is taken as %v", bad, *p)
		}
	}
}
