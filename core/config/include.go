package config

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Files is where the files of a configuration are.
type Files interface {
	// Read returns the text of a file.
	Read(name string) ([]byte, error)
	// Glob lists the files that a pattern names, in order.
	Glob(pattern string) ([]string, error)
}

// Bounds of what a configuration may include.
const (
	maxDepth    = 8    // files that include each other, one below the other
	maxFiles    = 1024 // of all of them together
	maxPatterns = 64   // of one file
)

// includeKey names further files. It stands above all tables.
const includeKey = "include"

// LoadFile is Load for a file and what it includes.
func LoadFile(name string, files Files) (*Config, Problems, error) {
	text, err := files.Read(name)
	if err != nil {
		return nil, nil, err
	}
	c, problems := load(name, text, files)
	return c, problems, nil
}

// file reads one file, and what it includes, into tables.
func (p *parser) file(tables map[string]any, name, text string, depth int) {
	p.rank = len(p.origin.parts)
	own := p.syntax(name, text)
	at := part{source: p.src, first: map[string]int{}}
	for array, value := range tables {
		if n := length(value); n > 0 {
			at.first[array] = n
		}
	}
	p.merge(tables, own, "", &at)
	p.origin.parts = append(p.origin.parts, at)
	for i, pattern := range p.patterns(own[includeKey], &at) {
		p.include(tables, &at, i, pattern, depth)
	}
}

// misplaced notes a problem of a file's include key, which keeps the configuration from being whole.
func (p *parser) misplaced(at *part, element int, format string, args ...any) {
	place := includeKey
	if element >= 0 {
		place = Element(place, element)
	}
	p.problems = append(p.problems, Problem{
		File: at.name, Line: at.lineOf(place), Key: includeKey, Message: fmt.Sprintf(format, args...), syntax: true,
		rank: slices.IndexFunc(p.origin.parts, func(o part) bool { return o.name == at.name }),
	})
}

// patterns reads the include key of a file.
func (p *parser) patterns(value any, at *part) (list []string) {
	switch value := value.(type) {
	case nil:
	case string:
		list = []string{value}
	case []any:
		for i, v := range value {
			text, ok := v.(string)
			if !ok {
				p.misplaced(at, i, "want file names, not %s", describe(v))
				return nil
			}
			list = append(list, text)
		}
	default:
		p.misplaced(at, -1, `want a list of file names, such as ["conf.d/*.toml"], not %s`, describe(value))
	}
	if len(list) > maxPatterns {
		p.misplaced(at, -1, "has %d elements: %d at most", len(list), maxPatterns)
		return nil
	}
	return list
}

// include reads the files of one pattern into tables.
func (p *parser) include(tables map[string]any, at *part, element int, pattern string, depth int) {
	if p.files == nil || pattern == "" {
		p.misplaced(at, element, "names no file that can be read here")
		return
	}
	if depth == maxDepth {
		p.misplaced(at, element, "%d files include each other, one below the other: no more can", maxDepth+1)
		return
	}
	full := pattern
	if !path.IsAbs(full) {
		full = path.Join(path.Dir(at.name), full)
	}
	names, err := p.files.Glob(full)
	if err != nil {
		p.misplaced(at, element, "%v", err)
		return
	}
	// A reload looks for other files only where a pattern may match them: the folder of a file that is named may be the root.
	if folder := path.Dir(full); strings.ContainsAny(full, `*?[\`) && !slices.Contains(p.origin.folders, folder) {
		p.origin.folders = append(p.origin.folders, folder)
	}
	for _, name := range names {
		if slices.ContainsFunc(p.origin.parts, func(o part) bool { return path.Clean(o.name) == path.Clean(name) }) {
			p.misplaced(at, element, "%s is included twice, or includes itself", name)
			continue
		}
		if len(p.origin.parts) == maxFiles {
			p.misplaced(at, element, "there are more than %d files", maxFiles)
			return
		}
		text, err := p.files.Read(name)
		if err != nil {
			p.misplaced(at, element, "%v", err)
			continue
		}
		p.file(tables, name, string(text), depth+1)
	}
}

// merge adds the tables of a file to those of the files before: tables are merged, arrays of tables appended. A key that
// has a value already is a problem. prefix is the path of the tables, with its dot.
func (p *parser) merge(tables, own map[string]any, prefix string, at *part) {
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if prefix == "" && name == includeKey {
			continue
		}
		old, twice := tables[name]
		if !twice {
			tables[name] = own[name]
			continue
		}
		path := prefix + quoteKey(name)
		a, isTable := old.(map[string]any)
		b, areTables := own[name].(map[string]any)
		switch {
		case isTable && areTables:
			p.merge(a, b, path+".", at)
		case prefix == "" && length(old) >= 0 && length(own[name]) >= 0:
			tables[name] = append(elementsOf(old), elementsOf(own[name])...)
		default:
			file, line, _ := p.origin.place(path)
			p.problems = append(p.problems, Problem{
				File: at.name, Line: at.lineOf(path), Key: path, rank: p.rank,
				Message: fmt.Sprintf("stands in %s:%d as well; keep one of the two", file, line),
			})
		}
	}
}

// length is how many elements an array has; -1: it is none.
func length(value any) int {
	switch value := value.(type) {
	case []map[string]any:
		return len(value)
	case []any:
		return len(value)
	}
	return -1
}

// elementsOf are those of an array.
func elementsOf(value any) []any {
	tables, ok := value.([]map[string]any)
	if !ok {
		return slices.Clone(value.([]any))
	}
	var list []any
	for _, t := range tables {
		list = append(list, t)
	}
	return list
}
