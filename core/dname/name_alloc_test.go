package dname

import "testing"

func TestAllocs(t *testing.T) {
	a, err := ParseText(nil, "WWW.Sub.Example.com")
	if err != nil {
		t.Fatal(err)
	}
	b := Name(AppendLower(nil, a))
	msg := append(append(make([]byte, 12), a...), 0xC0, 12)
	buf := make([]byte, 0, 2*MaxLen)
	for _, c := range []struct {
		name string
		fn   func()
	}{
		{"Parse", func() { Parse(a) }},
		{"Unpack", func() { Unpack(buf, msg, len(msg)-2) }},
		{"Skip", func() { Skip(msg, 12) }},
		{"Labels", func() { a.Labels() }},
		{"Suffix", func() { a.Suffix(2) }},
		{"Equal", func() { Equal(a, b) }},
		{"In", func() { a.In(b) }},
		{"Compare", func() { Compare(a, b) }},
		{"CommonLabels", func() { CommonLabels(a, b) }},
		{"AppendLower", func() { AppendLower(buf, a) }},
		{"Hash", func() { Hash(1, a) }},
		{"AppendText", func() { a.AppendText(buf) }},
		{"ParseText", func() { _, _ = ParseText(buf, "www.example.com.") }},
	} {
		if n := testing.AllocsPerRun(100, c.fn); n != 0 {
			t.Errorf("%s allocates %v times", c.name, n)
		}
	}
}
