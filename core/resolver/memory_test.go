package resolver

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// What the README and Options say that one thing takes, in bytes.
const (
	plainRRsetBytes  = 115  // one address
	signedRRsetBytes = 255  // one address with a signature of P-256
	taskBytes        = 1172 // a question in flight, with two exchanges
	iterationBytes   = 2204 // more once it has been resolved from the root
)

// A full store holds as many RRsets as the documentation says; index and bookkeeping are included.
func TestMemoryPerRRset(t *testing.T) {
	const memory = 4 << 20
	for _, c := range []struct {
		what   string
		signed bool
		most   int
	}{{"one address", false, plainRRsetBytes}, {"one address, signed", true, signedRRsetBytes}} {
		m := New(Options{Recursion: true, Memory: make([]byte, memory)}, rand.NewChaCha8([32]byte{1}))
		for i := 0; m.known.Stats().EvictedSmall+m.known.Stats().EvictedMain == 0; i++ {
			owner := dnametest.Name(fmt.Sprintf("www.zone%06d.example.", i))
			recs := known.Records(nil).Add(wire.Answer, owner, wire.TypeA, wire.ClassIN, 3600, []byte{192, 0, 2, 1})
			if c.signed {
				sig := dnssec.RRSIG{TypeCovered: wire.TypeA, Algorithm: dnssec.ECDSAP256SHA256, Labels: 3, OriginalTTL: 3600, Signer: owner.Parent(), Signature: make([]byte, 64)}
				recs = recs.Add(wire.Answer, owner, wire.TypeRRSIG, wire.ClassIN, 3600, sig.Append(nil))
			}
			m.known.Add(owner, wire.TypeA, wire.ClassIN, &known.Set{Records: recs, Rank: known.AuthAnswer, Status: dnssec.Secure, DO: c.signed, TTL: 3600}, 1)
		}
		each := memory / m.known.Stats().Entries
		t.Logf("%s: %d bytes", c.what, each)
		if each > c.most || each < c.most*3/4 {
			t.Errorf("%s: an RRset takes %d bytes, documented are %d", c.what, each, c.most)
		}
	}
}

// A question in flight takes what the documentation says.
func TestMemoryPerTask(t *testing.T) {
	// Each slot has a link in its table. The tables that find things have four octets an entry, and at most twice as many.
	const link = 4
	each := int(unsafe.Sizeof(task{}) + link + 2*(unsafe.Sizeof(exchange{})+link) + 2*4*4 + 2*2*4 + 4*(unsafe.Sizeof(waiter{})+link))
	more := int(unsafe.Sizeof(delegation{}) + unsafe.Sizeof((*validation)(nil)) + 4*(unsafe.Sizeof(dependent{})+link))
	t.Logf("%d bytes, and %d for iteration", each, more)
	if each > taskBytes || each < taskBytes*3/4 {
		t.Errorf("a question in flight takes %d bytes, documented are %d", each, taskBytes)
	}
	if more > iterationBytes || more < iterationBytes*3/4 {
		t.Errorf("iteration takes %d bytes more, documented are %d", more, iterationBytes)
	}
}
