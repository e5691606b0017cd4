package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Load is Parse and Check in one.
func Load(name string, data []byte) (*Config, Problems) { return load(name, data, nil) }

func load(name string, data []byte, files Files) (*Config, Problems) {
	c, problems := parse(name, data, files)
	if !slices.ContainsFunc(problems, func(p Problem) bool { return p.syntax }) {
		// With broken syntax, what is missing may be what could not be read.
		problems = append(problems, c.Check()...)
	}
	problems.sort()
	return c, problems
}

// Parse reads the text of a configuration file; name is the file's, for the problems. Keys that are not in
// the text, or have a problem, keep their defaults. Problems are found all at once: what cannot be read as
// TOML, unknown keys, and values of the wrong type, form or size. The Config is never nil.
func Parse(name string, data []byte) (*Config, Problems) { return parse(name, data, nil) }

// parse is Parse for a file and what it includes; files may be nil.
func parse(name string, data []byte, files Files) (*Config, Problems) {
	p := parser{config: Default(), files: files}
	tables := map[string]any{}
	p.file(tables, name, string(data), 0)
	p.config.source = p.origin
	for section, value := range tables {
		p.section(section, value)
	}
	p.problems.sort()
	return p.config, p.problems
}

type parser struct {
	files    Files  // nil: nothing can be included
	src      source // of the file that is being read
	rank     int    // its number
	origin   origin // of the files that have been read
	config   *Config
	problems Problems
}

// report notes a problem of the key at path; element is that of a list, or -1.
func (p *parser) report(path string, element int, format string, args ...any) {
	place := path
	if element >= 0 {
		place += "[" + strconv.Itoa(element) + "]"
	}
	file, line, rank := p.origin.place(place)
	p.problems = append(p.problems, Problem{File: file, Line: line, Key: path, Message: fmt.Sprintf(format, args...), rank: rank})
}

// section takes one of the tables at the top.
func (p *parser) section(name string, value any) {
	path := quoteKey(name)
	switch name {
	case "forward":
		p.config.Forward = elements[Upstream](p, name, value, upstreamKeys)
		return
	case "stub":
		p.config.Stub = elements[Upstream](p, name, value, upstreamKeys)
		return
	case "zone":
		p.config.Zone = elements[Zone](p, name, value, zoneKeys)
		return
	}
	if !slices.Contains(sections(), name) {
		p.unknownSection(path, name, value)
		return
	}
	table, ok := value.(map[string]any)
	if !ok {
		p.report(path, -1, "want a table; write [%s]%s", name, suggestSection(name))
		return
	}
	for word, v := range table {
		i := slices.IndexFunc(keys, func(k key) bool { return k.Name == name+"."+word })
		if i < 0 {
			hint := suggestKey(name, word)
			if word == includeKey {
				hint = "; include stands above all tables"
			}
			p.report(path+"."+quoteKey(word), -1, "unknown key%s", hint)
			continue
		}
		p.set(&keys[i], p.config, keys[i].Name, v)
	}
}

func (p *parser) unknownSection(path, name string, value any) {
	all := append(sections(), "forward", "stub", "zone")
	switch value.(type) {
	case map[string]any, []map[string]any:
		p.report(path, -1, "unknown table%s", didYouMean(name, all))
		return
	}
	p.report(path, -1, "key outside of a table%s", suggestSection(name))
}

// sections returns the names of the tables that hold keys, in the order of the key table.
func sections() (names []string) {
	for i := range keys {
		if s, _, _ := strings.Cut(keys[i].Name, "."); !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// set stores a value or reports what is wrong with it.
func (p *parser) set(k *key, table any, path string, v any) {
	for _, f := range k.set(table, v) {
		p.report(path, f.element, "%s", f.message)
	}
}

// elements reads the tables of an array such as [[forward]]. In those with problems, fields are left empty.
func elements[T any](p *parser, name string, value any, keys []key) (all []T) {
	var tables []map[string]any
	switch value := value.(type) {
	case []map[string]any:
		tables = value
	case []any: // an empty list, or one that is not of tables alone
		for i, e := range value {
			table, ok := e.(map[string]any)
			if !ok {
				p.report(name, i, "want tables; write [[%s]] above each", name)
				return nil
			}
			tables = append(tables, table)
		}
	case map[string]any:
		p.report(name, -1, "want a list of tables; write [[%s]] instead of [%s]", name, name)
		return nil
	default:
		p.report(name, -1, "want a list of tables; write [[%s]]", name)
		return nil
	}
	for i, table := range tables {
		path := fmt.Sprintf("%s[%d]", name, i)
		var t T
		for j := range keys {
			k := &keys[j]
			v, ok := table[k.Name]
			if !ok {
				v = k.Default
			}
			if v != nil {
				p.set(k, &t, path+"."+k.Name, v)
			} else {
				p.report(path+"."+k.Name, -1, "is missing")
			}
		}
		for word := range table {
			if slices.ContainsFunc(keys, func(k key) bool { return k.Name == word }) {
				continue
			}
			var names []string
			for j := range keys {
				names = append(names, keys[j].Name)
			}
			p.report(path+"."+quoteKey(word), -1, "unknown key%s", didYouMean(word, names))
		}
		all = append(all, t)
	}
	return all
}
