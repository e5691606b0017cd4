package settings

import (
	"io/fs"
	"path"
	"slices"
	"testing"

	"heimdall/core/config"
)

// memory is files in memory.
type memory map[string]string

func (m memory) Read(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func (m memory) Glob(pattern string) (names []string, err error) {
	for name := range m {
		if ok, _ := path.Match(pattern, name); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// A file that is included by its name opens its folder, or only itself if that is the root; a pattern opens the folder in
// which it looks.
func TestSandboxOfIncludes(t *testing.T) {
	const main = "/etc/heimdall/main.toml"
	c, problems, err := config.LoadFile(main, memory{
		main: "include = [\"/x.toml\", \"/srv/y.toml\", \"many/*.toml\"]\n", "/x.toml": "", "/srv/y.toml": "",
	})
	if err != nil || problems.Err() != nil {
		t.Fatal(err, problems)
	}
	read := Sandbox(c, main).Read
	for _, name := range []string{"/etc/heimdall", "/etc/heimdall/many", "/srv", "/x.toml"} {
		if !slices.Contains(read, name) {
			t.Errorf("%q cannot be read: %v", name, read)
		}
	}
	if slices.Contains(read, "/") {
		t.Errorf("everything can be read: %v", read)
	}
}
