package dname

import "testing"

func TestTextRoundTrip(t *testing.T) {
	for _, s := range []string{".", "a.", "www.Example.com.", `a\.b\000\255.\@.`} {
		n, err := ParseText(nil, s)
		if err != nil || n.String() != s {
			t.Errorf("ParseText(%q) = %v, %v", s, n, err)
		}
	}
}
