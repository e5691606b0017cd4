package dnssec

import (
	"fmt"
	"slices"
	"testing"

	"heimdall/core/dname/dnametest"
)

// TestGoodSignaturesCost lets a zone answer with ever more good signatures: what they cost together is bounded, not
// only their number.
func TestGoodSignaturesCost(t *testing.T) {
	for _, a := range algorithms {
		t.Run(a.String(), func(t *testing.T) {
			s := newSigner(t, "example.org.", a, 256)
			if a == RSASHA256 {
				s.regenerate(t, 4096)
			}
			v, keys := testValidator(), s.link(t).Keys
			memo := &countingMemo{known: map[MemoKey]bool{}}
			v.Memo = memo
			allowed := *v.Budget
			cost := keys.keys[0].public.cost()
			good := 0
			for i := range 2 * allowed.Signatures {
				// Sets that differ, all signed: the memo knows none of them.
				set := s.set(t, fmt.Sprintf("www.example.org. 300 IN A 192.0.2.%d\n", i))
				if v.Verify(set, keys).Status != Secure {
					if set.Result != (Result{Bogus, ReasonSignatureBudget}) {
						t.Fatalf("signature %d: %v", i, set.Result)
					}
					break
				}
				good++
			}
			if most := min(allowed.Signatures, allowed.Micros/cost); good != most {
				t.Errorf("%d good signatures of %d µs were checked, want %d", good, cost, most)
			}
			if memo.cost > allowed.Micros {
				t.Errorf("they cost %d µs of the %d that may be spent", memo.cost, allowed.Micros)
			}
		})
	}
}

// TestDigestsCost compares keys of 60,000 octets with DS records that name them: the octets hashed count.
func TestDigestsCost(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 257)
	v := testValidator()
	k, _ := ParseDNSKEY(rdata(t, s.key))
	k.PublicKey = make([]byte, 60000)
	set := s.dnskey(t)
	set.Data = [][]byte{k.Append(nil)}
	ds := DS{KeyTag: KeyTag(set.Data[0]), Algorithm: k.Algorithm, DigestType: DigestSHA384, Digest: make([]byte, 48)}
	v.Budget.Micros = 5 * (digestMicros + len(set.Data[0])/octetsPerMicro)
	if z := v.ValidateKeys(dnametest.Name("example.org."), set, slices.Repeat([]DS{ds}, 5), 3600); z.Reason != ReasonNoDSMatch || v.Budget.Micros != 0 {
		t.Errorf("five digests: %v, %d µs left", z.Result, v.Budget.Micros)
	}
	if z := v.ValidateKeys(dnametest.Name("example.org."), set, []DS{ds}, 3600); z.Result != (Result{Bogus, ReasonSignatureBudget}) {
		t.Errorf("beyond the budget: %v", z.Result)
	}
}

// TestHashesCostTime spends the time of one question on NSEC3 hashes: signatures and hashes share it.
func TestHashesCostTime(t *testing.T) {
	hash := func(v *Validator, names int) (computed int) {
		d := NewDenial(dnametest.Name("example."))
		for _, set := range secure(t, "example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 50 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3ton A") {
			d.Add(set)
		}
		for i := range names {
			if _, ok := d.hash(v, dnametest.Name(fmt.Sprintf("n%d.example.", i))); ok {
				computed++
			}
		}
		return computed
	}
	v := testValidator()
	v.Budget.Micros = 100
	if n := hash(v, 50); n != 100*blocksPerMicro/51 || v.Budget.Micros < 0 {
		t.Errorf("%d names of 51 blocks were hashed in 100 µs, and %d µs are left", n, v.Budget.Micros)
	}
	v = testValidator()
	whole := *v.Budget
	if n := hash(v, 1000); n != whole.HashBlocks/51 || whole.Micros-v.Budget.Micros != n*51/blocksPerMicro {
		t.Errorf("%d names were hashed, for %d µs", n, whole.Micros-v.Budget.Micros)
	}
}

// TestHashBudget spends a budget of hashes alone: as many blocks as were asked for, taken one by one or together.
func TestHashBudget(t *testing.T) {
	for blocks := range 70 {
		for _, step := range []int{1, 3, 51} {
			b, n := HashBudget(blocks), 0
			for b.affordHash(step) {
				n += step
			}
			if n != blocks/step*step || b.afford(1, 0) && blocks/step*step == blocks {
				t.Errorf("%d of %d blocks, %d at a time, %d µs left", n, blocks, step, b.Micros)
			}
		}
	}
}
