package config

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// memory is files in memory.
type memory map[string]string

func (m memory) Read(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (m memory) Glob(pattern string) (names []string, err error) {
	for name := range m {
		if ok, _ := path.Match(pattern, name); ok {
			names = append(names, name)
		}
	}
	if names == nil && !strings.ContainsAny(pattern, "*?[") {
		return nil, &fs.PathError{Op: "open", Path: pattern, Err: fs.ErrNotExist}
	}
	slices.Sort(names)
	return names, nil
}

// loadAll loads a.toml and returns what is wrong, one a line.
func loadAll(t testing.TB, files memory) (*Config, string) {
	t.Helper()
	c, problems, err := LoadFile("etc/a.toml", files)
	if err != nil {
		t.Fatal(err)
	}
	if err := problems.Err(); err != nil {
		return c, err.Error()
	}
	return c, ""
}

// What included files have is added, in order, and names start at the folder of the file that they stand in.
func TestInclude(t *testing.T) {
	c, problems := loadAll(t, memory{
		"etc/a.toml":        "include = [\"sub/*.toml\", \"/srv/last.toml\", \"none/*.toml\"]\n[cache]\nmemory = \"1MiB\"\n[[zone]]\nname = \"a.\"\nfile = \"a.zone\"\n",
		"etc/sub/1.toml":    "include = \"below/b.toml\"\n[cache]\nmin_ttl = \"2s\"\n[recursion]\nroot_hints = \"hints\"\n[[zone]]\nname = \"b.\"\nfile = \"b.zone\"\n[admin]\n",
		"etc/sub/2.toml":    "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.1\"]\n",
		"etc/sub/notes.txt": "no TOML",
		"/srv/last.toml":    "[[zone]]\nname = \"c.\"\nfile = \"c.zone\"\n[[zone]]\nname = \"d.\"\nfile = \"d.zone\"\n[[forward]]\nzone = \"x.\"\nservers = [\"192.0.2.2\"]\n",

		"etc/sub/below/b.toml": "zone = [{ name = \"e.\", file = \"e.zone\" }]\n",
	})
	if problems != "" {
		t.Fatal(problems)
	}
	c.ResolvePaths("/home")
	var files []string
	for _, z := range c.Zone {
		files = append(files, z.Name.String()+" "+z.File)
	}
	if got, want := fmt.Sprint(files), "[a. /home/etc/a.zone b. /home/etc/sub/b.zone e. /home/etc/sub/below/e.zone c. /srv/c.zone d. /srv/d.zone]"; got != want {
		t.Errorf("zones %s, want %s", got, want)
	}
	if c.Cache.Memory != mib || FormatDuration(c.Cache.MinTTL) != "2s" || len(c.Forward) != 2 || c.Recursion.RootHints != "/home/etc/sub/hints" {
		t.Errorf("config %+v", c)
	}
	if c.Admin.Socket != "/home/etc/heimdall.sock" { // [admin] stands elsewhere, but the default is of the first file
		t.Errorf("the socket is %s", c.Admin.Socket)
	}
	if got := fmt.Sprint(c.Files(), c.Folders()); got != "[etc/a.toml etc/sub/1.toml etc/sub/below/b.toml etc/sub/2.toml /srv/last.toml] [etc/sub etc/none]" {
		t.Errorf("files %s", got)
	}
}

// Each problem is in the file and the line where it stands.
func TestIncludedProblems(t *testing.T) {
	chain := memory{}
	for i := range 12 {
		chain[fmt.Sprintf("etc/%d.toml", i)] = fmt.Sprintf("include = \"%d.toml\"\n", i+1)
	}
	chain["etc/a.toml"] = "include = \"0.toml\"\n"
	for _, tt := range []struct {
		name  string
		files memory
		want  string
	}{
		{"a key twice", memory{
			"etc/a.toml": "include = [\"b.toml\"]\n[cache]\n\nmemory = \"1MiB\"\n",
			"etc/b.toml": "# nothing\n[cache]\nmemory = \"2MiB\"\n",
		}, "etc/b.toml:3: cache.memory: stands in etc/a.toml:4 as well; keep one of the two"},
		{"a value", memory{
			"etc/a.toml": "include = [\"b.toml\"]\n[[zone]]\nname = \"a.\"\nfile = \"x\"\n",
			"etc/b.toml": "[[zone]]\nname = \"b.\"\nfile = \"x\"\n[[zone]]\nname = \"c.\"\nfile = 7\n",
		}, "etc/b.toml:6: zone[2].file: want a text in quotes, not the number 7"},
		{"a contradiction", memory{
			"etc/a.toml": "include = [\"b.toml\"]\n[[zone]]\nname = \"a.\"\nfile = \"x\"\n",
			"etc/b.toml": "\n[[zone]]\nname = \"a.\"\nfile = \"x\"\n",
		}, "etc/b.toml:3: zone[1].name: a. is that of zone[0] in etc/a.toml:2 as well"},
		{"syntax", memory{"etc/a.toml": "include = [\"b.toml\"]\n", "etc/b.toml": "[cache]\nmemory = 1MiB\n"}, "etc/b.toml:2: cache.memory: a value with a unit needs quotes: \"1MiB\""},
		{"an unknown key", memory{"etc/a.toml": "include = [\"b.toml\"]\n[cache]\nmemory = \"1MiB\"\n", "etc/b.toml": "[cache]\nmemroy = 1\n"}, "etc/b.toml:2: cache.memroy: unknown key; did you mean \"memory\"?"},
		{"no file", memory{"etc/a.toml": "\ninclude = [\n\"none.toml\"]\n"}, "etc/a.toml:3: include: open etc/none.toml: file does not exist"},
		{"itself", memory{"etc/a.toml": "include = [\"*.toml\"]\n"}, "etc/a.toml:1: include: etc/a.toml is included twice, or includes itself"},
		{"twice", memory{"etc/a.toml": "include = [\"b.toml\", \"./b.toml\"]\n", "etc/b.toml": ""}, "etc/a.toml:1: include: etc/b.toml is included twice, or includes itself"},
		{"a table", memory{"etc/a.toml": "[include]\nx = 1\n"}, "etc/a.toml:1: include: want a list of file names, such as [\"conf.d/*.toml\"], not a table"},
		{"a number", memory{"etc/a.toml": "include = [1]\n"}, "etc/a.toml:1: include: want file names, not the number 1"},
		{"empty", memory{"etc/a.toml": "include = [\"\"]\n"}, "etc/a.toml:1: include: names no file that can be read here"},
		{"too low", memory{"etc/a.toml": "[cache]\ninclude = \"b.toml\"\n"}, "etc/a.toml:2: cache.include: unknown key; include stands above all tables"},
		{"another kind", memory{"etc/a.toml": "include = \"b.toml\"\n[cache]\nmemory = \"1MiB\"\n", "etc/b.toml": "[[cache]]\nmin_ttl = \"1s\"\n"}, "etc/b.toml:1: cache: stands in etc/a.toml:2 as well; keep one of the two"},
		{"too deep", chain, "etc/7.toml:1: include: 9 files include each other, one below the other: no more can"},
	} {
		if _, got := loadAll(t, tt.files); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	many := memory{"etc/a.toml": "include = \"d/*.toml\"\n"}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf("etc/d/%d.toml", i)] = ""
	}
	if _, got := loadAll(t, many); got != "etc/a.toml:1: include: there are more than 1024 files" {
		t.Errorf("many files: %s", got)
	}
	if _, problems := Load("a.toml", []byte("include = \"b.toml\"\n")); problems.Err() == nil {
		t.Error("a text alone includes files")
	}
}

// Problems come in the order of files and lines.
func TestIncludedProblemsInOrder(t *testing.T) {
	_, got := loadAll(t, memory{
		"etc/a.toml": "include = [\"z.toml\", \"b.toml\"]\n[x]\n",
		"etc/b.toml": "[x1]\n[x2]\n",
		"etc/z.toml": "[x3]\n",
	})
	var lines []string
	for line := range strings.Lines(got) {
		name, _, _ := strings.Cut(line, ": ")
		lines = append(lines, name)
	}
	if want := []string{"etc/a.toml:2", "etc/z.toml:1", "etc/b.toml:1", "etc/b.toml:2"}; !slices.Equal(lines, want) {
		t.Errorf("problems in %q, want %q", lines, want)
	}
}

// FuzzInclude asserts of any two files that every problem is in a line of one of them, and that a configuration without
// problems has the tables of both.
func FuzzInclude(f *testing.F) {
	f.Add("include = \"b.toml\"\n[[zone]]\nname = \"a.\"\nfile = \"x\"\n", "[[zone]]\nname = \"b.\"\nfile = \"y\"\n[cache]\nmemory = \"2MiB\"\n")
	f.Add("include = [\"*.toml\"]\nzone = 1\n", "include = \"a.toml\"\n[[zone]]\n[zone.x]\n")
	f.Add("zone.a = 1\ninclude = ['b.toml']", "zone.b = 2\n[[forward]]\nzone=[[1]]")
	f.Fuzz(func(t *testing.T, a, b string) {
		files := memory{"etc/a.toml": a, "etc/b.toml": b}
		c, problems, err := LoadFile("etc/a.toml", files)
		if err != nil || c == nil {
			t.Fatal(c, err)
		}
		for _, p := range problems {
			if text, ok := files[p.File]; p.File != "" && !ok || p.Line < 0 || p.Line > 1+strings.Count(text, "\n") {
				t.Errorf("%q is nowhere", p.Error())
			}
		}
		if problems.Err() == nil && len(c.Files()) == 2 {
			one, _ := Load("etc/b.toml", []byte(b))
			if len(c.Zone) < len(one.Zone) || len(c.Forward) < len(one.Forward) {
				t.Errorf("%d of %d zones", len(c.Zone), len(one.Zone))
			}
		}
	})
}

// The folder of a file that is included by its name is none to look for others in.
func TestIncludeByNameOpensNoFolder(t *testing.T) {
	c, problems := loadAll(t, memory{
		"etc/a.toml": "include = [\"/x.toml\", \"sub/b.toml\", \"more/[a-c].toml\", \"more/?.toml\"]\n",
		"/x.toml":    "", "etc/sub/b.toml": "",
	})
	if got := fmt.Sprint(c.Files(), c.Folders()); problems != "" || got != "[etc/a.toml /x.toml etc/sub/b.toml] [etc/more]" {
		t.Errorf("%s %s", got, problems)
	}
}
