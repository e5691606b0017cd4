package hot

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"

	"heimdall/core/policy"
	"heimdall/core/wire"
	"heimdall/ebpf"
)

// What tier 0 answers above the rate is octet for octet what tier 1 answers.
func TestRootTiersSlipAlike(t *testing.T) {
	ti := newTiers(t, 700)
	if err := ti.program.SetLimits(ebpf.Limits{PerSecond: 1, Burst: 1, Slip: 1, IPv4Bits: 24, IPv6Bits: 56}); err != nil {
		t.Fatal(err)
	}
	ti.engine.RefusalsPerRound = 1
	ti.engine.Limiter = policy.NewLimiter(policy.LimitOptions{PerSecond: 1, Burst: 1, Slip: 1, IPv4Bits: 24, IPv6Bits: 56})
	ti.engine.Limiter.Admit(1, netip.MustParseAddr("198.51.100.2").As16(), false)
	rnd := rand.New(rand.NewPCG(3, 4))
	compared := 0
	for i := range 3000 {
		name := []byte{4, 'N', 'a', 'm', byte('a' + rnd.IntN(26)), byte(1 + rnd.IntN(50))}
		for range name[5] {
			name = append(name, byte('A'+rnd.IntN(40)))
		}
		name = append(name, 0)
		q := wire.AppendQuery(nil, uint16(rnd.Uint32()), uint16(rnd.Uint32())&(wire.FlagRD|wire.FlagCD|wire.FlagAD), name, wire.Type(1+rnd.IntN(60)), wire.ClassIN)
		if rnd.IntN(2) == 0 {
			q = wire.AppendOPT(q, wire.OPT{UDPSize: uint16(rnd.Uint32N(2000)), DO: rnd.IntN(2) == 0})
		}
		zero, one := ti.try(t, q), ti.handleAt(1, q)
		if zero == nil || one == nil || wire.Flags(one)&wire.FlagTC == 0 {
			continue // within the rate: at first, and once in each second
		}
		compared++
		if !bytes.Equal(zero, one) {
			t.Fatalf("query %d %x:\ntier 0 %x\ntier 1 %x", i, q, zero, one)
		}
	}
	if compared < 2500 {
		t.Errorf("only %d of 3000 compared", compared)
	}
}
