package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// sizeZone has RRsets of 10 to 500 addresses, about 160 to 8,000 octets, and delegations with as many servers.
func sizeZone() string {
	var b strings.Builder
	b.WriteString("$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
	for _, n := range []int{10, 60, 100, 500} {
		for i := range n {
			fmt.Fprintf(&b, "a%d A 10.0.%d.%d\n", n, i/256, i%256)
		}
	}
	for i := range 13 {
		fmt.Fprintf(&b, "glue NS server-%d.glue\nserver-%d.glue A 10.1.0.%d\n", i, i, i)
		fmt.Fprintf(&b, "server-%d.glue AAAA 2001:db8::%d\n", i, i)
		fmt.Fprintf(&b, "beside NS server-%d.elsewhere\nserver-%d.elsewhere A 10.2.0.%d\n", i, i, i)
		fmt.Fprintf(&b, "server-%d.elsewhere AAAA 2001:db8::%d\n", i, i)
	}
	return b.String()
}

// What does not fit is truncated to what the client takes, but never beyond the server's own limit; over TCP
// it comes whole.
func TestZoneTruncation(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+zoneFile(t, "size.example.", sizeZone()))
	for _, records := range []int{10, 60, 100, 500} {
		name := fmt.Sprintf("a%d.size.example.", records)
		for _, size := range []uint16{0, 100, 512, 1000, 1232, 4096, 65535} { // 0: no EDNS
			q := question(name, dns.TypeA)
			limit := 512
			if size > 0 {
				q.SetEdns0(size, false)
				limit = min(max(int(size), 512), 1232)
			}
			need := 12 + len(name) + 1 + 4 + 16*records
			if size > 0 {
				need += 11
			}
			raw := raw(t, d.addr, pack(t, q))
			r := new(dns.Msg)
			if err := r.Unpack(raw); err != nil {
				t.Fatal(err)
			}
			fits := need <= limit
			switch {
			case len(raw) > limit:
				t.Errorf("%s, size %d: %d octets", name, size, len(raw))
			case r.Truncated == fits:
				t.Errorf("%s, size %d: TC %v, but %d octets are needed", name, size, r.Truncated, need)
			case fits && (len(r.Answer) != records || len(raw) != need):
				t.Errorf("%s, size %d: %d records, %d octets; want %d octets", name, size, len(r.Answer), len(raw), need)
			case !fits && len(r.Answer) != 0:
				t.Errorf("%s, size %d: %d records of an RRset that does not fit", name, size, len(r.Answer))
			case !r.Authoritative || (r.IsEdns0() != nil) != (size > 0):
				t.Errorf("%s, size %d: %v", name, size, r.MsgHdr)
			}
		}
		r := d.exchange(question(name, dns.TypeA), "tcp")
		if r.Truncated || len(r.Answer) != records || !r.Authoritative {
			t.Errorf("%s over TCP: TC %v, %d records", name, r.Truncated, len(r.Answer))
		}
	}
}

// The addresses of servers below the cut belong to a referral: TC if they do not fit (RFC 9471). Those of
// others are left out in silence.
func TestZoneReferralSize(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+zoneFile(t, "size.example.", sizeZone()))
	glue, beside := d.ask("x.glue.size.example.", dns.TypeA), d.ask("x.beside.size.example.", dns.TypeA)
	if !glue.Truncated || len(glue.Ns) != 13 {
		t.Errorf("without its glue: TC %v, %d records", glue.Truncated, len(glue.Extra))
	}
	if beside.Truncated || len(beside.Ns) != 13 {
		t.Errorf("without other addresses: TC %v, %d NS records, %d others", beside.Truncated, len(beside.Ns), len(beside.Extra))
	}
	for _, name := range []string{"x.glue.size.example.", "x.beside.size.example."} {
		if r := d.exchange(question(name, dns.TypeA), "tcp"); r.Truncated || len(r.Ns) != 13 || len(r.Extra) != 26 {
			t.Errorf("%s over TCP: TC %v, %d NS records, %d others", name, r.Truncated, len(r.Ns), len(r.Extra))
		}
	}
}

func pack(t *testing.T, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
