package dnssec

import (
	"slices"
	"testing"

	"heimdall/core/wire"
)

func TestCheckTime(t *testing.T) {
	const hour = 3600
	p := DefaultPolicy()
	for _, c := range []struct {
		name                       string
		inception, expiration, now uint32
		want                       Reason
	}{
		{"in the middle", 1000000, 2000000, 1500000, ReasonNone},
		{"at inception", 1000000, 2000000, 1000000, ReasonNone},
		{"at expiration", 1000000, 2000000, 2000000, ReasonNone},
		{"a tenth too late", 1000000, 1000000 + 100*hour, 1000000 + 110*hour, ReasonNone},
		{"a second more", 1000000, 1000000 + 100*hour, 1000001 + 110*hour, ReasonExpired},
		{"a tenth too early", 1000000, 1000000 + 100*hour, 1000000 - 10*hour, ReasonNone},
		{"a second more", 1000000, 1000000 + 100*hour, 999999 - 10*hour, ReasonNotYetValid},
		{"an hour is always tolerated", 1000000, 1000060, 1000060 + hour, ReasonNone},
		{"but not more", 1000000, 1000060, 1000061 + hour, ReasonExpired},
		{"a day is the most", 0, 1000 * day, 1001 * day, ReasonNone},
		{"and no second more", 0, 1000 * day, 1001*day + 1, ReasonExpired},
		{"inception after expiration", 2000000, 1000000, 1500000, ReasonNotYetValid},
		{"across the wrap", 0xffffff00, 0x100, 0x10, ReasonNone},
		{"across the wrap, before it", 0xffffff00, 0x100, 0xffffff80, ReasonNone},
		{"across the wrap, expired", 0xffffff00, 0x100, 0x10000, ReasonExpired},
		{"across the wrap, too early", 0xffffff00, 0x100, 0xffff0000, ReasonNotYetValid},
		{"2106 and later", 4294967295, 500000, 400000, ReasonNone},
	} {
		if got := p.checkTime(&RRSIG{Inception: c.inception, Expiration: c.expiration}, c.now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	exact := Policy{}
	if got := exact.checkTime(&RRSIG{Inception: 1000, Expiration: 2000}, 2001); got != ReasonExpired {
		t.Errorf("without tolerance: %v", got)
	}
}

func TestLimitTTL(t *testing.T) {
	s := RRSIG{OriginalTTL: 3600, Expiration: 10000}
	for _, c := range []struct{ ttl, now, want uint32 }{
		{86400, 1000, 3600}, {300, 1000, 300}, {3600, 9990, 10}, {3600, 10000, graceTTL}, {3600, 10500, graceTTL}, {10, 10500, 10},
	} {
		if got := s.limitTTL(c.ttl, c.now); got != c.want {
			t.Errorf("TTL %d at %d: %d, want %d", c.ttl, c.now, got, c.want)
		}
	}
}

func TestBitmap(t *testing.T) {
	types := []wire.Type{wire.TypeNSEC, wire.TypeA, wire.TypeMX, 1234, 65535, wire.TypeRRSIG}
	b := appendBitmap(nil, types...)
	m, ok := ParseBitmap(b)
	if !ok {
		t.Fatalf("ParseBitmap refuses % x", b)
	}
	for i := range 1 << 16 {
		if got := m.Has(wire.Type(i)); got != slices.Contains(types, wire.Type(i)) {
			t.Fatalf("Has(%d) = %v", i, got)
		}
	}
	for _, bad := range [][]byte{
		{0}, {0, 0}, {0, 1}, {0, 1, 0}, {0, 2, 1, 0}, {0, 33}, append([]byte{0, 33}, make([]byte, 33)...),
		{1, 1, 1, 0, 1, 1}, {0, 1, 1, 0, 1, 1}, {0, 1, 1, 7},
	} {
		if _, ok := ParseBitmap(bad); ok {
			t.Errorf("ParseBitmap takes % x", bad)
		}
	}
	if m, ok := ParseBitmap(nil); !ok || m.Has(wire.TypeA) {
		t.Errorf("the empty bit map: %v", ok)
	}
}
