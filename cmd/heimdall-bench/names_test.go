package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func mustPattern(t *testing.T, text string, n uint64) *pattern {
	t.Helper()
	p, err := newPattern(text, n, dns.TypeA, netip.MustParseAddr("10.0.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// question reads back what n wrote for i.
func question(t *testing.T, n names, i uint64) string {
	t.Helper()
	wire := n.question(nil, i)
	name, off, err := dns.UnpackDomainName(wire, 0)
	if err != nil || off+4 != len(wire) {
		t.Fatalf("question %d is %x: %v", i, wire, err)
	}
	return name + " " + dns.TypeToString[uint16(wire[off])<<8|uint16(wire[off+1])]
}

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		text string
		i    uint64
		want string
	}{
		{"h%d.example", 0, "h0.example. A"},
		{"h%d.example.", 99999, "h99999.example. A"},
		{"www.site-%d-x.test.example", 12, "www.site-12-x.test.example. A"},
		{"%d", 7, "7. A"},
	} {
		if got := question(t, mustPattern(t, tt.text, 100000), tt.i); got != tt.want {
			t.Errorf("%s, name %d: %q, want %q", tt.text, tt.i, got, tt.want)
		}
	}
	p := mustPattern(t, "h%d.example", 100000)
	if got := p.expect(66051).addr.String(); got != "10.1.2.3" {
		t.Errorf("address of name 66051: %s", got)
	}
	if got, _, _ := dns.UnpackDomainName(p.zone(), 0); got != "example." {
		t.Errorf("zone %s", got)
	}
	six := pattern{base: netip.MustParseAddr("2001:db8::ffff")}
	if got := six.expect(1).addr.String(); got != "2001:db8::1:0" {
		t.Errorf("IPv6 address of name 1: %s", got)
	}
	for _, bad := range []string{"example", "h%d.h%d.example", "h%x.example", "h%d..example", strings.Repeat("a", 60) + "%d.example", "h%d." + strings.Repeat("abcdefg.", 31) + "example"} {
		if _, err := newPattern(bad, 10, 1, netip.Addr{}); err == nil {
			t.Errorf("pattern %.40q was taken", bad)
		}
	}
}

func TestList(t *testing.T) {
	l, err := readList(strings.NewReader("# names\nwww.example A 192.0.2.1\n\nmail.Example. MX   # no expectation\nv6.example aaaa 2001:db8::1\ngone.example A nxdomain\nodd.example TYPE65280\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		question string
		expectation
	}{
		{"www.example. A", expectation{0, netip.MustParseAddr("192.0.2.1")}},
		{"mail.Example. MX", expectation{anyRcode, netip.Addr{}}},
		{"v6.example. AAAA", expectation{0, netip.MustParseAddr("2001:db8::1")}},
		{"gone.example. A", expectation{3, netip.Addr{}}},
		{"odd.example. ", expectation{anyRcode, netip.Addr{}}},
	}
	if l.count() != uint64(len(want)) {
		t.Fatalf("%d names, want %d", l.count(), len(want))
	}
	for i, w := range want {
		if got := question(t, l, uint64(i)); got != w.question || l.expect(uint64(i)) != w.expectation {
			t.Errorf("name %d: %q %+v, want %+v", i, got, l.expect(uint64(i)), w)
		}
	}
	if got, _, _ := dns.UnpackDomainName(l.zone(), 0); got != "example." {
		t.Errorf("zone %s", got)
	}
	for text, why := range map[string]string{
		"a.example":              "line 1: want name",
		"a.example A\nb..c A":    "line 2: name",
		"a.example AA":           "not an RR type",
		"a.example A 192.0.2":    "neither an address",
		"a.example A NOERROR x":  "found 4 fields",
		"\n# nothing\n":          "no names",
		"a.example TYPE99999999": "not an RR type",
	} {
		if _, err := readList(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: error %v, want %q", text, err, why)
		}
	}
}

// TestNamesFile: a run with a file checks what the file expects.
func TestNamesFile(t *testing.T) {
	s := startUDP(t, "udp4", "127.0.0.1:0", nil)
	for text, code := range map[string]int{
		"h1.example A 10.0.0.1\ngone.example A NXDOMAIN\nwhatever.example A\n": exitOK,
		"h1.example A 10.0.0.2\n":     exitWrong,
		"gone.example A NOERROR\n":    exitWrong,
		"h1.example A NXDOMAIN\n":     exitWrong,
		"h1.example A 10.0.0.1 300\n": exitUsage,
	} {
		path := filepath.Join(t.TempDir(), "names")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, _, errOut := runBench(t, append(quick, "-warm=false", "-names", path, "-server", s.addr)...); got != code {
			t.Errorf("%q: exit code %d, want %d: %s", text, got, code, errOut)
		}
	}
}
