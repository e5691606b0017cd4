package zonefile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// text is a record in presentation form.
func (r record) text(t *testing.T) string {
	buf := append([]byte{}, r.owner...)
	buf = append(buf, byte(r.t>>8), byte(r.t), byte(r.class>>8), byte(r.class), byte(r.ttl>>24), byte(r.ttl>>16), byte(r.ttl>>8), byte(r.ttl),
		byte(len(r.rdata)>>8), byte(len(r.rdata)))
	rr, _, err := dns.UnpackRR(append(buf, r.rdata...), 0)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(rr.String()), " ")
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		label, in string
		want      []string
	}{
		{"TTL and class in either order", "a 300 IN A 192.0.2.1\nb IN 300 A 192.0.2.2\nc 300 A 192.0.2.3\n",
			[]string{"a.example. 300 IN A 192.0.2.1", "b.example. 300 IN A 192.0.2.2", "c.example. 300 IN A 192.0.2.3"}},
		{"TTL of the last record", "a 300 A 192.0.2.1\nb A 192.0.2.2\nb 60 A 192.0.2.3\nc A 192.0.2.4\n",
			[]string{"a.example. 300 IN A 192.0.2.1", "b.example. 300 IN A 192.0.2.2", "b.example. 60 IN A 192.0.2.3", "c.example. 60 IN A 192.0.2.4"}},
		{"$TTL", "$TTL 1h1s\na A 192.0.2.1\nb 60 A 192.0.2.3\nc A 192.0.2.4\n",
			[]string{"a.example. 3601 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.3", "c.example. 3601 IN A 192.0.2.4"}},
		{"MINIMUM as TTL", "@ SOA a b 1 2 3 4 5\n  NS a\n",
			[]string{"example. 5 IN SOA a.example. b.example. 1 2 3 4 5", "example. 5 IN NS a.example."}},
		{"owner left out", "a 60 A 192.0.2.1\n  A 192.0.2.2\n\tA 192.0.2.3\n",
			[]string{"a.example. 60 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.2", "a.example. 60 IN A 192.0.2.3"}},
		{"$ORIGIN", "$ORIGIN b\na 60 NS @\n$ORIGIN c.\na 60 NS x\n$ORIGIN .\na 60 NS x\n",
			[]string{"a.b.example. 60 IN NS b.example.", "a.c. 60 IN NS x.c.", "a. 60 IN NS x."}},
		{"parentheses and comments", "a (60;c\n IN;(\n\n) A(192.0.2.1) ; )\nb 60 A 192.0.2.2",
			[]string{"a.example. 60 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.2"}},
		{"strings", `a 60 TXT "a;b (c" d\;e "" f"g" "\"\\\065"` + "\n",
			[]string{`a.example. 60 IN TXT "a;b (c" "d;e" "" "f" "g" "\"\\A"`}},
		{"names", "\\065\\.b.c 60 NS \\@\n*.x 60 NS @\n", []string{`A\.b.c.example. 60 IN NS \@.example.`, `*.x.example. 60 IN NS example.`}},
		{"names like types", "a 60 A 192.0.2.1\nns NS ns\nin IN MX 1 mx\n",
			[]string{"a.example. 60 IN A 192.0.2.1", "ns.example. 60 IN NS ns.example.", "in.example. 60 IN MX 1 mx.example."}},
		{"generic", "a 60 TYPE1 \\# 4 c0 00 02 01\nb 60 TYPE65534 \\# 0\nc 60 A \\# 4 c0000201\n",
			[]string{"a.example. 60 IN A 192.0.2.1", `b.example. 60 CLASS1 TYPE65534 \# 0`, "c.example. 60 IN A 192.0.2.1"}},
		{"other types", "a 60 CAA 0 issue \"ca.test\"\na 60 SVCB 1 b alpn=\"h2,h3\" port=53\na 60 NAPTR 1 2 s e \"\" @\n",
			[]string{`a.example. 60 IN CAA 0 issue "ca.test"`, `a.example. 60 IN SVCB 1 b.example. alpn="h2,h3" port="53"`,
				`a.example. 60 IN NAPTR 1 2 "s" "e" "" example.`}},
		{"$INCLUDE", "b 60 A 192.0.2.9\n$INCLUDE a sub\n A 192.0.2.10\n",
			[]string{"b.example. 60 IN A 192.0.2.9", "inside.sub.example. 60 IN A 192.0.2.1", "x.other. 60 IN A 192.0.2.2",
				"b.example. 60 IN A 192.0.2.10"}},
		{"$GENERATE", "$TTL 60\n$GENERATE 1-5/2 h$ A 192.0.2.${10,3,d}\n$GENERATE 15-16 ${1,2,x} CNAME \\$$$.${0,5,n}\n",
			[]string{"h1.example. 60 IN A 192.0.2.11", "h3.example. 60 IN A 192.0.2.13", "h5.example. 60 IN A 192.0.2.15"}},
		{"$GENERATE of quoted RDATA", "$TTL 60\n$GENERATE 1-1 h$ MX \"$ .\"\n$GENERATE 1-1 s$ IN SRV \"0 0 ${0,4,d} h$\"\n" +
			"$GENERATE 1-1 t$ TXT \"a $\"\n$GENERATE 1-1 a$ A \"192.0.2.$\"\n$GENERATE 1-1 c$ CAA \"0 issue \\\"x $\\\"\"\n",
			[]string{"h1.example. 60 IN MX 1 .", "s1.example. 60 IN SRV 0 0 1 h1.example.", `t1.example. 60 IN TXT "a 1"`,
				"a1.example. 60 IN A 192.0.2.1", `c1.example. 60 IN CAA 0 issue "x 1"`}},
	} {
		t.Run(c.label, func(t *testing.T) {
			if c.label == "$GENERATE" {
				c.in = strings.Replace(c.in, "${10,3,d}", "${10}", 1)
				c.want = append(c.want, "10.example. 60 IN CNAME $$.f.0.0.example.", "11.example. 60 IN CNAME $$.0.1.0.example.")
			}
			records, err := readAll(c.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range records {
				got = append(got, r.text(t))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// An error says where it is and what was expected, and what follows is read all the same.
func TestReadErrors(t *testing.T) {
	good := "\nok 60 A 192.0.2.1\n"
	for _, c := range []struct{ in, want string }{
		{"a 60 A 192.0.2.256", "test:1: A: want an IPv4 address"},
		{"a 60 AAAA 1::2::3", "test:1: AAAA: want an IPv6 address"},
		{"\n\na 60 A", "test:3: A: want more fields"},
		{"a 60 A 192.0.2.1 x", "test:1: A: want fewer fields"},
		{"a 60 FOO 1", `test:1: "FOO": want a record type`},
		{"a 60", "test:1: want a type"},
		{" 60 A 192.0.2.1", "test:1: owner left out"},
		{"a A 192.0.2.1", "test:1: TTL left out"},
		{"a..b 60 A 192.0.2.1", `test:1: owner "a..b": empty label`},
		{"a 60 MX 65536 b", "test:1: MX: number out of range"},
		{"a 60 TXT \"open\nb 60 A 1.2.3.4", "test:1: end of line inside a quoted string"},
		{"a 60 A 192.0.2.1 )", "test:1: closing parenthesis"},
		{"$FOO x", `test:1: "$FOO": want $ORIGIN`},
		{"$INCLUDE none", `test:1: $INCLUDE: open "none"`},
		{"$INCLUDE bad", "bad:1: A: want an IPv4 address"},
		{"$INCLUDE loop", "loop:1: $INCLUDE nested too deeply"},
		{"$GENERATE 1-70000 a$ 60 A 192.0.2.1", "more than 65536 records"},
		{"$GENERATE 1-3 a${x} 60 A 192.0.2.1", "want ${OFFSET}"},
		{"a 60 TYPE1 \\# 3 000000", "test:1: A: malformed RDATA"},
		{"a 60 TYPE777 \\# 3 0000", "test:1: TYPE777: RDATA length and data differ"},
		{"a 60 TYPE777 x", `test:1: TYPE777: want RDATA as \# LENGTH HEX`},
		{"\ufeffa 60 A 192.0.2.1", "test:1: byte order mark"},
		{"a\u00a060 A 192.0.2.1", "test:1: no-break space"},
		{"a 60 A\u00a0192.0.2.1", "test:1: no-break space"},
		{"a 60 A \u00a0192.0.2.1", "test:1: no-break space"},
		{strings.Repeat("a", 64) + " 60 A 192.0.2.1", "label longer than 63 octets"},
	} {
		records, err := readAll(c.in + good)
		var errs *Errors
		if !errors.As(err, &errs) || !strings.Contains(errs.List[0].Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.in, err, c.want)
		}
		if len(records) == 0 || !dname.Equal(records[len(records)-1].owner, dname.Name("\x02ok\x07example\x00")) {
			t.Errorf("%q: the record that follows is lost", c.in)
		}
	}
}

func TestReadLimits(t *testing.T) {
	if _, err := readAll("a 60 TXT (\n" + strings.Repeat("; comment\n", 1<<17) + ")"); !errors.Is(err, errLongEntry) {
		t.Errorf("long entry: %v", err)
	}
	_, err := readAll(strings.Repeat("x\n", 1000))
	if errs, ok := err.(*Errors); !ok || len(errs.List) != maxErrors || errs.More != 990 || !strings.HasSuffix(errs.Lines(), "\ntest:10: want a type\nand 990 more errors") {
		t.Errorf("many errors: %v", err)
	}
	if _, err := readAll("a 60 A (192.0.2.1"); !errors.Is(err, errParenClose) {
		t.Errorf("open parenthesis: %v", err)
	}
	broken := errors.New("broken disk")
	err = Read(io.MultiReader(strings.NewReader("a. 60 A 192.0.2.1\n"), iotest.ErrReader(broken)), Options{}, func(*Record) error { return nil })
	if !errors.Is(err, broken) {
		t.Errorf("broken source: %v", err)
	}
}

// Where the text is cut into reads does not matter.
func TestReadSmall(t *testing.T) {
	for _, text := range samples {
		want, wantErr := readAll(text)
		var got []record
		origin, _ := dname.ParseText(nil, "example.")
		err := Read(iotest.OneByteReader(strings.NewReader(text)), Options{Name: "test", Origin: origin, Open: openSample}, func(r *Record) error {
			got = append(got, record{slices.Clone(r.Owner), r.Type, r.Class, r.TTL, slices.Clone(r.RData), r.Line})
			return nil
		})
		if fmt.Sprint(got, err) != fmt.Sprint(want, wantErr) {
			t.Errorf("%q: got %v, %v\nwant %v, %v", text, got, err, want, wantErr)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	text := strings.Repeat("name123 IN A 192.0.2.1\n", 10000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := Read(strings.NewReader(text), Options{TTL: 60, HasTTL: true}, func(*Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// The names of common types are those that wire knows.
func TestCommonType(t *testing.T) {
	for i := range 1 << 16 {
		name := wire.Type(i).String()
		for _, text := range []string{name, strings.ToLower(name)} {
			if got := commonType([]byte(text)); got != 0 && got != wire.Type(i) {
				t.Errorf("%s is read as %v", text, got)
			}
		}
	}
	for _, text := range []string{"", "!", "\x01", "N\x13", "mX0", "nsec\x13", "\x0eS"} {
		if got := commonType([]byte(text)); got != 0 {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// Files that include others many times, level by level, come to an end.
func TestIncludesEnd(t *testing.T) {
	opened := 0
	err := Read(strings.NewReader("$INCLUDE 1\n"), Options{Name: "test", Open: func(name string) (io.ReadCloser, error) {
		opened++
		text := ""
		if level := name[0] - '0'; int(level) < maxDepth {
			text = strings.Repeat(fmt.Sprintf("$INCLUDE %d\n", level+1), 100)
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}}, func(*Record) error { return nil })
	if opened != maxIncluded || !errors.Is(err, errIncluded) {
		t.Errorf("%d files were opened: %v", opened, err)
	}
}
