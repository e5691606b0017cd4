package dname

import (
	"bytes"
	"strings"
	"testing"
)

func mustParse(t *testing.T, s string) Name {
	t.Helper()
	n, err := ParseText(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParseText(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	name255 := strings.Repeat(label63+".", 3) + strings.Repeat("b", 61)
	for _, c := range []struct{ in, want string }{
		{".", "."},
		{"a", "a."},
		{"www.Example.com.", "www.Example.com."},
		{`a\.b\000\255.\@.`, `a\.b\000\255.\@.`},
		{`\097 b`, `a\032b.`},
		{label63, label63 + "."},
		{name255, name255 + "."},
		{name255 + ".", name255 + "."},
	} {
		n, err := ParseText(nil, c.in)
		if err != nil || n.String() != c.want {
			t.Errorf("ParseText(%q) = %v, %v; want %s", c.in, n, err, c.want)
		}
	}
	for _, c := range []struct {
		in   string
		want error
	}{
		{"", errEmpty},
		{"..", errEmptyLabel},
		{".a", errEmptyLabel},
		{"a..b", errEmptyLabel},
		{label63 + "a", errLongLabel},
		{name255 + "b", errLongName},
		{strings.Repeat("a.", 128), errLongName},
		{`a\`, errEscape},
		{`a\25`, errEscape},
		{`a\256`, errEscape},
	} {
		if n, err := ParseText(nil, c.in); err == nil || !strings.HasSuffix(err.Error(), c.want.Error()) {
			t.Errorf("ParseText(%q) = %v, %v; want %v", c.in, n, err, c.want)
		}
	}
}

func TestParseTextAppends(t *testing.T) {
	dst := append(make([]byte, 0, 64), "kept"...)
	n, err := ParseText(dst, "a.b")
	if err != nil || !bytes.Equal(n, []byte("\x01a\x01b\x00")) || &dst[:5][4] != &n[0] {
		t.Errorf("ParseText = %x, %v; want the name behind what dst holds", n, err)
	}
}

func TestRoot(t *testing.T) {
	if r := Root(); !r.IsRoot() || r.Labels() != 0 || r.Parent() != nil || r.Label() != nil || !r.In(r) {
		t.Errorf("Root() = %x", r)
	}
	if Name(nil).Labels() != 0 || Name(nil).Parent() != nil || Root().In(nil) {
		t.Error("nil passes for a name")
	}
}

func TestIsWildcard(t *testing.T) {
	for s, want := range map[string]bool{"*.example.": true, "*.": true, ".": false, "**.example.": false, "a.*.": false} {
		if got := mustParse(t, s).IsWildcard(); got != want {
			t.Errorf("IsWildcard(%s) = %v", s, got)
		}
	}
}

// TestCompareOrder has the example of RFC 4034, section 6.1.
func TestCompareOrder(t *testing.T) {
	sorted := []string{
		"example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.",
		`\001.z.example.`, "*.z.example.", `\200.z.example.`,
	}
	for i, a := range sorted {
		for j, b := range sorted {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := Compare(mustParse(t, a), mustParse(t, b)); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// TestInLabelBoundary: a zone's name inside a label does not make a subdomain.
func TestInLabelBoundary(t *testing.T) {
	zone := mustParse(t, "example.com.")
	for s, want := range map[string]bool{
		"EXAMPLE.com.": true, "a.example.COM.": true, "com.": false, "notexample.com.": false,
		`x\007example.com.`: false, ".": false,
	} {
		if got := mustParse(t, s).In(zone); got != want {
			t.Errorf("%s In %s = %v", s, zone, got)
		}
	}
}

// TestAppendLowerInPlace: dst may be the name's own storage.
func TestAppendLowerInPlace(t *testing.T) {
	for _, s := range []string{".", "AB.", "ABCDEFG.", "WWW.Example.COM.", "WWW.A-Longer-Example.Of.A.Name."} {
		n := mustParse(t, s)
		if got := Name(AppendLower(n[:0], n)); got.String() != strings.ToLower(s) {
			t.Errorf("AppendLower(%s) in place = %s", s, got)
		}
	}
}
