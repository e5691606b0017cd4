package dnssec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// countingMemo remembers everything and counts what it was told.
type countingMemo struct {
	known map[MemoKey]bool
	puts  int
	cost  int
}

func (m *countingMemo) Get(key MemoKey) (valid, ok bool) { valid, ok = m.known[key]; return valid, ok }
func (m *countingMemo) Put(key MemoKey, valid bool, cost int) {
	m.known[key] = valid
	m.puts++
	m.cost += cost
}

// collidingKeys returns n Ed25519 keys with the tag and the algorithm of s's key, which does not come first.
func collidingKeys(t testing.TB, s *signer, n int) *KeySet {
	t.Helper()
	p := DefaultPolicy()
	p.MaxKeys = n + 1
	set := &RRset{}
	for i := range n {
		k, _ := ParseDNSKEY(rdata(t, s.key))
		k.PublicKey = slices.Clone(k.PublicKey)
		k.PublicKey[0] ^= byte(i + 1)
		k.PublicKey[1] ^= byte((i + 1) >> 8)
		set.Data = append(set.Data, k.Append(nil))
	}
	set.Data = append(set.Data, rdata(t, s.key))
	keys := p.newKeySet(dnametest.Name(s.zone), set)
	for i := range keys.keys {
		keys.keys[i].tag = s.key.KeyTag()
	}
	return keys
}

// TestKeyTrap measures what the attacks of CVE-2023-50387 can make a validator do: many keys with one tag, many
// signatures, and both.
func TestKeyTrap(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	for _, c := range []struct{ keys, sigs, most int }{
		{500, 1, 4}, // MaxCollisions
		{0, 500, 8}, // MaxSignatures
		{500, 500, 4},
	} {
		t.Run(fmt.Sprintf("%d keys, %d signatures", c.keys, c.sigs), func(t *testing.T) {
			v, memo := testValidator(), &countingMemo{known: map[MemoKey]bool{}}
			v.Memo = memo
			keys := collidingKeys(t, s, c.keys)
			set := s.set(t, "www.example.org. 300 IN A 192.0.2.1\n")
			good := set.Sigs[0]
			set.Sigs = nil
			for i := range c.sigs {
				bad := slices.Clone(good)
				bad[len(bad)-1] ^= byte(i + 1)
				bad[len(bad)-2] ^= byte((i + 1) >> 8)
				set.Sigs = append(set.Sigs, bad)
			}
			before := *v.Budget
			if r := v.Verify(set, keys); r != (Result{Bogus, ReasonTooManySignatures}) {
				t.Errorf("Verify = %v", r)
			}
			if spent := before.Signatures - v.Budget.Signatures; spent > c.most || memo.puts != spent || before.Failures-v.Budget.Failures != spent {
				t.Errorf("%d verifications, want at most %d", spent, c.most)
			}
		})
	}
}

// TestBudgetIsShared lets many RRsets fail until the budget of the message is spent.
func TestBudgetIsShared(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	v, keys := testValidator(), s.link(t).Keys
	allowed := v.Budget.Failures
	failed := 0
	for range 3 * allowed {
		set := s.set(t, "www.example.org. 300 IN A 192.0.2.1\n")
		set.Data[0][0] ^= 1
		if r := v.Verify(set, keys); r.Reason == ReasonInvalid {
			failed++
		} else if r != (Result{Bogus, ReasonSignatureBudget}) {
			t.Fatalf("Verify = %v", r)
		}
	}
	if failed != allowed {
		t.Errorf("%d verifications failed before the budget of %d was spent", failed, allowed)
	}
	// Good ones are out of reach then too.
	if r := v.Verify(s.set(t, "www.example.org. 300 IN A 192.0.2.1\n"), keys); r.Reason != ReasonSignatureBudget {
		t.Errorf("Verify after that = %v", r)
	}
}

func TestMemoSavesVerifications(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	v, keys, memo := testValidator(), s.link(t).Keys, &countingMemo{known: map[MemoKey]bool{}}
	v.Memo = memo
	set := s.set(t, "www.example.org. 300 IN A 192.0.2.1\n")
	for range 3 {
		set.Result = Result{}
		if r := v.Verify(set, keys); r.Status != Secure {
			t.Fatalf("Verify = %v", r)
		}
	}
	if memo.puts != 1 || memo.cost < 1 || v.Budget.Signatures != DefaultBudget().Signatures-1 {
		t.Errorf("%d verifications of cost %d, budget %v", memo.puts, memo.cost, *v.Budget)
	}
	// The memo does not answer for the time.
	v.Now += 30 * day
	set.Result = Result{}
	if r := v.Verify(set, keys); r.Reason != ReasonExpired {
		t.Errorf("Verify later = %v", r)
	}
	// Nor for other data.
	v.Now, set.Data[0][0], set.Result = testNow, 1, Result{}
	if r := v.Verify(set, keys); r.Reason != ReasonInvalid || memo.puts != 2 {
		t.Errorf("Verify of other data = %v", r)
	}
}

// TestNSEC3Cost measures what CVE-2023-50868 can make a validator do: a name with many labels, all iterations
// and all salt that are allowed.
func TestNSEC3Cost(t *testing.T) {
	deep := dnametest.Name(strings.Repeat("a.", 118) + "example.")
	records := func(iterations int, salt string) *Denial {
		d := NewDenial(dnametest.Name("example."))
		for _, set := range secure(t, "example.", fmt.Sprintf(`
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 %d %s 0p9mhaveqvm6t7vbl5lop2u3t2rp3ton A
1p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 %d %s 1p9mhaveqvm6t7vbl5lop2u3t2rp3ton A`, iterations, salt, iterations, salt)) {
			d.Add(set)
		}
		return d
	}
	long := strings.Repeat("ab", 127) // three blocks a hash; the presentation form's parser takes no more
	for _, c := range []struct {
		iterations int
		salt       string
		want       Result
		most       int
	}{
		{0, "-", Result{Bogus, ReasonDenialFails}, 120},
		{50, "-", Result{Bogus, ReasonHashBudget}, 4096},
		{51, "-", Result{Insecure, ReasonNSEC3Iterations}, 0},
		{16, long, Result{Bogus, ReasonHashBudget}, 4096},
		{17, long, Result{Insecure, ReasonNSEC3Iterations}, 0},
		{65535, "-", Result{Insecure, ReasonNSEC3Iterations}, 0},
	} {
		v := testValidator()
		for _, r := range []Result{
			records(c.iterations, c.salt).NameError(v, deep),
			records(c.iterations, c.salt).NoData(v, deep, wire.TypeA),
		} {
			if r.Status != c.want.Status || r != c.want && r.Reason != ReasonHashBudget {
				t.Errorf("%d iterations, %d octets of salt: %v, want %v", c.iterations, len(c.salt)/2, r, c.want)
			}
		}
		if spent := DefaultBudget().HashBlocks - v.Budget.HashBlocks; spent > 2*c.most || spent > 4096 {
			t.Errorf("%d iterations, %d octets of salt: %d blocks hashed, want at most %d", c.iterations, len(c.salt)/2, spent, c.most)
		}
	}
	v := testValidator()
	v.Policy.BogusIterations = 500
	if r := records(500, "-").NameError(v, deep); r != (Result{Bogus, ReasonNSEC3Bogus}) {
		t.Errorf("500 iterations where that is bogus: %v", r)
	}
}

// TestNoNameIsHashedTwice asks the same of one proof again.
func TestNoNameIsHashedTwice(t *testing.T) {
	v, z := exampleZone(t, rfc5155Zone, "20120420235959")
	r := response(t, "a.c.x.w.example.", dns.TypeA, dns.RcodeNameError, "",
		pick(t, rfc5155Zone, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3,b4um86eghhds6nea196smvmlo4ors995.example. NSEC3,35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3"))
	denial := lazyDenial{v: v, r: r, zone: z}
	first := denial.get().NameError(v, dname.Name(r.Name))
	spent := *v.Budget
	if again := denial.get().NameError(v, r.Name); again != first || *v.Budget != spent {
		t.Errorf("the second time: %v, budget %v, want %v, %v", again, *v.Budget, first, spent)
	}
	// a.c.x.w, c.x.w, x.w and *.x.w, 13 blocks each.
	if blocks := DefaultBudget().HashBlocks - spent.HashBlocks; blocks != 4*13 {
		t.Errorf("%d blocks hashed, want %d", blocks, 4*13)
	}
}
