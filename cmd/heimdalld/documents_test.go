package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The documents name files, tests and keys of the configuration. They exist.
func TestDocumentsNameWhatExists(t *testing.T) {
	root := filepath.Join("..", "..")
	tests := map[string]bool{}
	for id := range testsOf(t, root) {
		tests[id[strings.LastIndexByte(id, '.')+1:]] = true
	}
	sections, keys := keysOf(t, filepath.Join(root, "config.toml"))
	file := regexp.MustCompile("`((?:cmd|core|shard|netio|affinity|ebpf)/[A-Za-z0-9_/-]+(?:\\.go)?)`")
	test := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	key := regexp.MustCompile("`([a-z]+)\\.([a-z0-9_]+)(?: = [^`]*)?`")
	for _, name := range []string{"README.md", "CHANGELOG.md", "SECURITY.md"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range file.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, m := range test.FindAllStringSubmatch(string(text), -1) {
			if !tests[m[1]] {
				t.Errorf("%s: there is no %s", name, m[1])
			}
		}
		for _, m := range key.FindAllStringSubmatch(string(text), -1) {
			if id := m[1] + "." + m[2]; sections[m[1]] && m[2] != "go" && !keys[id] {
				t.Errorf("%s: there is no key %s", name, id)
			}
		}
	}
}

// keysOf returns the tables and the keys that stand in a configuration.
func keysOf(t *testing.T, path string) (sections, keys map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sections, keys = map[string]bool{}, map[string]bool{}
	section := ""
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "["); ok {
			section, _, _ = strings.Cut(name, "]")
			sections[section] = true
		} else if name, _, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(name, "#") {
			keys[section+"."+name] = true
		}
	}
	return sections, keys
}

// The README answers a newcomer's first questions with one file each, and the files have what was asked for.
func TestWhereToLook(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| ([A-Z][^|]*\\?) \\| `([^`]*)` \\|$").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	for question, want := range map[string]string{
		"In which order is a query decided?":                           "func (e *Engine) decide(",
		"Where is a policy decision added?":                            "func (e *Engine) admit(",
		"Where does a response leave?":                                 "func exit[",
		"What does a reload of a key do?":                              "func (c *change) apply(",
		"Which keys does a reload apply?":                              "Reload: true",
		"Where does what other servers said come in?":                  "func (e *Engine) resolved(",
		"Where do questions from inside begin?":                        "func (e *Engine) Resolve(",
		"Who may import whom?":                                         "const policy = ",
		"Why is a query answered so?":                                  "func (e *Engine) Explain(",
		"What happens when the network or the clock is wrong at boot?": "func (s *Supervisor) retry(",
	} {
		source, err := os.ReadFile(filepath.Join(root, rows[question]))
		if err != nil {
			t.Errorf("%s: %v", question, err)
		} else if !strings.Contains(string(source), want) {
			t.Errorf("%s: there is no %q in %s", question, want, rows[question])
		}
		delete(rows, question)
	}
	if len(rows) > 0 {
		t.Errorf("nothing is known of %v", rows)
	}
}
