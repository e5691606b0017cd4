package wire

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
)

// referral is a response that delegates Example.com to four servers inside it, with their addresses.
func referral(tb testing.TB) []byte {
	var authority, additional []dns.RR
	for i := range 4 {
		authority = append(authority, mustRR(tb, fmt.Sprintf("Example.com. 300 IN NS ns%d.Example.com.", i)))
		additional = append(additional,
			mustRR(tb, fmt.Sprintf("ns%d.Example.com. 300 IN A 192.0.2.%d", i, i)),
			mustRR(tb, fmt.Sprintf("ns%d.Example.com. 300 IN A 192.0.2.1%d", i, i)),
			mustRR(tb, fmt.Sprintf("ns%d.Example.com. 300 IN AAAA 2001:db8::%d", i, i)))
	}
	return mustPack(tb, nil, authority, additional)
}

// sectionCounts returns what the header of msg says.
func sectionCounts(msg []byte) (counts [4]int) {
	for s := range counts {
		counts[s] = Count(msg, Section(s))
	}
	return counts
}

func TestTruncateAnswer(t *testing.T) {
	var answer []dns.RR
	answer = append(answer, mustRR(t, "Example.com. 300 IN CNAME a.Example.com."))
	for i := range 10 {
		answer = append(answer, mustRR(t, fmt.Sprintf("a.Example.com. 300 IN A 192.0.2.%d", i)))
	}
	msg := mustPack(t, answer, []dns.RR{mustRR(t, "Example.com. 300 IN NS ns.Example.com.")}, nil)
	for _, c := range []struct {
		limit  int
		counts [4]int
		tc     bool
	}{
		{len(msg), [4]int{1, 11, 1, 0}, false},
		{len(msg) - 1, [4]int{1, 11, 0, 0}, true},
		{len(msg) - 20, [4]int{1, 1, 0, 0}, true}, // the ten addresses are one RRset
		{50, [4]int{1, 1, 0, 0}, true},
		{30, [4]int{1, 0, 0, 0}, true},
		{20, [4]int{0, 0, 0, 0}, true}, // not even the question fits
	} {
		got := Truncate(bytes.Clone(msg), c.limit)
		if sectionCounts(got) != c.counts || Flags(got)&FlagTC != 0 != c.tc || len(got) > c.limit {
			t.Errorf("limit %d: counts %v, flags %04x, %d octets; want %v, TC %v", c.limit, sectionCounts(got), Flags(got),
				len(got), c.counts, c.tc)
		}
	}
}

// TestTruncateAdditional: additional records may be left out without TC, but not the glue of a referral.
func TestTruncateAdditional(t *testing.T) {
	for _, c := range []struct {
		name string
		msg  []byte
		tc   bool
	}{
		{"glue", referral(t), true},
		{"addresses beside an answer", mustPack(t, []dns.RR{mustRR(t, "Example.com. 300 IN MX 1 m.Example.com.")}, nil,
			[]dns.RR{mustRR(t, "m.Example.com. 300 IN A 192.0.2.1"), mustRR(t, "m.Example.com. 300 IN AAAA ::1")}), false},
		{"addresses outside the zone", mustPack(t, nil, []dns.RR{mustRR(t, "Example.com. 300 IN NS ns.example.net.")},
			[]dns.RR{mustRR(t, "ns.example.net. 300 IN A 192.0.2.1"), mustRR(t, "ns.example.net. 300 IN AAAA ::1")}), false},
	} {
		msg := bytes.Clone(c.msg)
		total := Count(msg, Additional)
		got := Truncate(msg, len(msg)-1)
		if Count(got, Additional) != total-1 || Flags(got)&FlagTC != 0 != c.tc {
			t.Errorf("%s: %d of %d records, flags %04x, want TC %v", c.name, Count(got, Additional), total, Flags(got), c.tc)
		}
	}
}

// TestTruncateOwners: one RRset's owners may be written in different ways.
func TestTruncateOwners(t *testing.T) {
	msg := AppendQuery(nil, 1, FlagQR, dnametest.Name("example.com."), TypeA, ClassIN)
	msg = appendRR(msg, Answer, dnametest.Name("EXAMPLE.com."), TypeA, ClassIN, 300, []byte("abcd"))
	msg = appendRR(msg, Answer, []byte{0xC0, HeaderLen}, TypeA, ClassIN, 300, []byte("abcd"))
	if got := Truncate(msg, len(msg)-1); sectionCounts(got) != [4]int{1, 0, 0, 0} {
		t.Errorf("counts %v", sectionCounts(got))
	}
}
