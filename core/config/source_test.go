package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestScan(t *testing.T) {
	src := scan("f", `# comment
a = 1
[t] # comment with [brackets] = 'and quotes
b = """
x = 1
[no]
""""  # the string ends with a quote of its own
c = [ "]", # ]
  'x#',
  [1, 2], { d = 1, e.f = [3] },
]
"q.r" . s = 2
[[u]]
v = 1
[[ u ]]
v = { w = "}" }
[u.x]
y = 1
[[u.z]]
[[u.z]]
k = 1979-05-27 07:32:00
`)
	want := map[string]int{
		"a": 2, "t": 3, "t.b": 4, "t.c": 8, "t.c[0]": 8, "t.c[1]": 9, "t.c[2]": 10, "t.c[2][0]": 10, "t.c[2][1]": 10,
		"t.c[3]": 10, "t.c[3].d": 10, "t.c[3].e": 10, "t.c[3].e.f": 10, "t.c[3].e.f[0]": 10, `t."q.r"`: 12, `t."q.r".s`: 12,
		"u": 13, "u[0]": 13, "u[0].v": 14, "u[1]": 15, "u[1].v": 16, "u[1].v.w": 16, "u[1].x": 17, "u[1].x.y": 18,
		"u[1].z": 19, "u[1].z[0]": 19, "u[1].z[1]": 20, "u[1].z[1].k": 21,
	}
	for path, line := range want {
		if src.lines[path] != line {
			t.Errorf("%s: line %d, want %d", path, src.lines[path], line)
		}
	}
	for path, line := range src.lines {
		if want[path] == 0 {
			t.Errorf("%s, line %d: found, but not there", path, line)
		}
	}
	if got := src.lineOf("t.unknown[7]"); got != 3 {
		t.Errorf("near t: line %d", got)
	}
	if got := src.lineOf("unknown.x"); got != 0 {
		t.Errorf("nowhere: line %d", got)
	}
}

// paths adds the paths of all keys and elements in v.
func paths(all map[string]bool, path string, v any) {
	if path != "" {
		all[path] = true
	}
	switch v := v.(type) {
	case map[string]any:
		for key, v := range v {
			p := quoteKey(key)
			if path != "" {
				p = path + "." + p
			}
			paths(all, p, v)
		}
	case []map[string]any:
		for i := range v {
			paths(all, fmt.Sprintf("%s[%d]", path, i), v[i])
		}
	case []any:
		for i := range v {
			paths(all, fmt.Sprintf("%s[%d]", path, i), v[i])
		}
	}
}

// FuzzScan: of what the toml package takes, the scanner finds every key and element, on a line of the file,
// and what it finds is there. Of all else it makes something, and ends.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		"a = 1\n[b]\nc = [1, [2], {d = 3}]\n", "[[a]]\n[a.b]\n[[a]]\nc.d = \"x\"\n", "x = \"\"\"\n\"\"\"\"\ny = ''''''\n",
		"a = { b = 1 }\r\n# x\r\n\"c d\" = 'e'\n", "[a.\"b.c\"]\nd = 1979-05-27T07:32:00Z\n", "a = [\n1, # x\n2\n]\n", "a=[{}]",
		"\xfe\xff", "x = \"a\\\\\"\ny=1", "[ a . b ]\n'c' = inf\n", "[[a]]\n[[a.b]]\n[a.b.c]\nx=1\n[[a.b]]\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		src := scan("f", text)
		var tables map[string]any
		if _, err := toml.Decode(text, &tables); err != nil {
			return
		}
		for _, mark := range []string{"\ufeff", "\xfe\xff", "\xff\xfe"} {
			if strings.HasPrefix(text, mark) {
				return // the toml package drops byte order marks
			}
		}
		if strings.Contains(text, "\x00") {
			return // and these
		}
		want := map[string]bool{}
		paths(want, "", tables)
		lines := 1 + strings.Count(text, "\n")
		for path := range want {
			if n := src.lineOf(path); n < 1 || n > lines {
				t.Errorf("%q: %s is on line %d", text, path, n)
			}
		}
		for path, n := range src.lines {
			if !want[path] {
				t.Errorf("%q: %s on line %d is not there; there are %v", text, path, n, want)
			}
		}
	})
}

// FuzzLoad: no text makes Load fall over, and what it takes without a problem is a configuration that
// differs from the default in nothing that Diff cannot write.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"[server]\nlisten = [\"127.0.0.1:53\"]\n", "[cache]\nmemory = \"1.5GiB\"\nmax_ttl = \"1d12h\"\n", "[cpu]\nshards = \"0-3,8\"\n",
		"[[forward]]\nzone = \"a\\\\.b.\"\nservers = [\"192.0.2.1\"]\n", "[recursion]\nallow = []\nnegative_trust_anchors = [\"x\"]\n",
		"[io\nbatch=1\n[io]\nspin = 1us\n", "x = [\n[a]\nb=1\n", "[xdp]\ninterfaces = [\"eth0\"]\nmode = \"native\"\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, problems := Load("f", []byte(text))
		lines := 1 + strings.Count(text, "\n")
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines || p.Message == "" {
				t.Errorf("%q: problem %+v", text, p)
			}
		}
		if problems.Err() != nil {
			return
		}
		var b strings.Builder
		for _, d := range Diff(Default(), c) {
			if array, name, ok := strings.Cut(d.Key, " "); ok {
				key, value := "zone", "servers"
				if array == "zone" {
					key, value = "name", "file"
				}
				fmt.Fprintf(&b, "[[%s]]\n%s = %s\n%s = %s\n", array, key, name, value, d.New)
			} else {
				section, key, _ := strings.Cut(d.Key, ".")
				fmt.Fprintf(&b, "[%s]\n%s = %s\n", section, key, d.New)
				if strings.Count(b.String(), "["+section+"]\n") > 1 {
					b.Reset()
					return // TOML takes a table once only
				}
			}
		}
		again, problems := Load("again", []byte(b.String()))
		if problems.Err() != nil || Diff(c, again) != nil {
			t.Errorf("%q is written\n%s\nwhich is read with %v, differences %v", text, b.String(), problems, Diff(c, again))
		}
	})
}
