package config

import (
	"sort"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// source tells where keys stand in a file, which the toml package keeps to itself. The zero value is a file
// without keys.
type source struct {
	name  string
	text  string
	lines map[string]int // by path: "cache.memory", "forward[0].zone", "server.listen[1]"
	items []item
}

// item is one header or one key with its value.
type item struct {
	start  int    // offset of its first octet
	end    int    // offset of the end of its last line
	path   string // of the table or the key
	header bool
}

// lineOf returns the line of a path; of the nearest table around it when the path itself is not in the file;
// 0 for none.
func (s *source) lineOf(path string) int {
	for path != "" {
		if line, ok := s.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// itemAt returns the item whose text contains offset, nil if there is none.
func (s *source) itemAt(offset int) *item {
	i := sort.Search(len(s.items), func(i int) bool { return s.items[i].start > offset })
	if i == 0 || offset > s.items[i-1].end {
		return nil
	}
	return &s.items[i-1]
}

// scanner finds the keys of a TOML text. It trusts the text to be valid, as it was parsed before: of an
// invalid one it finds what it can, and ends in any case.
type scanner struct {
	source
	at     int
	table  string         // path of the last header
	arrays map[string]int // number of tables so far, by path of [[header]]

	offset, line int // of what was noted last
}

// scan finds the keys of text.
func scan(name, text string) source {
	s := scanner{source: source{name: name, text: text, lines: map[string]int{}}, arrays: map[string]int{}}
	for s.space(true); s.at < len(s.text); s.space(true) {
		before := s.at
		it := item{start: before}
		if it.header = s.text[s.at] == '['; it.header {
			it.path = s.header()
		} else {
			it.path = s.pair(s.table)
		}
		s.until("\n") // a comment, or what is not TOML
		it.end = s.at
		s.items = append(s.items, it)
	}
	return s.source
}

// header reads [table] or [[table]] and returns the table's path.
func (s *scanner) header() string {
	start := s.at
	s.at++
	double := s.accept('[')
	path := ""
	for {
		s.space(false)
		path = s.enter(path, s.key())
		s.note(path, start)
		s.space(false)
		if !s.accept('.') {
			break
		}
		path = s.last(path)
	}
	s.accept(']')
	if double {
		s.accept(']')
		s.arrays[path]++
	}
	s.table = s.last(path)
	s.note(s.table, start)
	return s.table
}

// last returns the path of the table that path means: of an array of tables the last one.
func (s *scanner) last(path string) string {
	if n := s.arrays[path]; n > 0 {
		return path + "[" + strconv.Itoa(n-1) + "]"
	}
	return path
}

// pair reads key = value in a table and returns the key's path.
func (s *scanner) pair(table string) string {
	start, path := s.at, table
	for {
		s.space(false)
		path = s.enter(path, s.key())
		s.note(path, start)
		s.space(false)
		if !s.accept('.') {
			break
		}
	}
	if s.accept('=') {
		s.space(false)
		s.value(path)
	}
	return path
}

// value steps over a value and notes the places of what is in it.
func (s *scanner) value(path string) {
	if s.at == len(s.text) {
		return
	}
	switch s.text[s.at] {
	case '"', '\'':
		s.quoted()
	case '[':
		s.at++
		for i := 0; ; i++ {
			s.space(true)
			if s.at == len(s.text) || s.accept(']') {
				return
			}
			element := path
			if len(path) < maxPath {
				element += "[" + strconv.Itoa(i) + "]"
			}
			s.note(element, s.at)
			before := s.at
			s.value(element)
			s.space(true)
			if !s.accept(',') && s.at == before {
				return // not TOML
			}
		}
	case '{':
		s.at++
		for {
			s.space(true)
			if s.at == len(s.text) || s.accept('}') {
				return
			}
			before := s.at
			s.pair(path)
			s.space(true)
			if !s.accept(',') && s.at == before {
				return // not TOML
			}
		}
	default:
		s.until(",]}#\n")
	}
}

// key reads one part of a key and returns what it means.
func (s *scanner) key() string {
	if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') {
		return unquote(s.quoted())
	}
	start := s.at
	for s.at < len(s.text) && isBare(s.text[s.at]) {
		s.at++
	}
	return s.text[start:s.at]
}

func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// quoted steps over a string of any of the four kinds and returns it with its quotes.
func (s *scanner) quoted() string {
	start, rest := s.at, s.text[s.at:]
	quote := rest[:1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(rest, triple) {
		quote = triple
	}
	s.at += len(quote)
	for s.at < len(s.text) {
		switch {
		case s.text[s.at] == '\\' && quote[0] == '"':
			s.at = min(s.at+2, len(s.text))
			continue
		case s.text[s.at] == '\n' && len(quote) == 1:
			return s.text[start:s.at] // not TOML
		case !strings.HasPrefix(s.text[s.at:], quote):
			s.at++
			continue
		}
		s.at += len(quote)
		// A string in triple quotes may end with one or two quotes of its own.
		for n := 0; n < 2 && len(quote) == 3 && s.at < len(s.text) && s.text[s.at] == quote[0]; n++ {
			s.at++
		}
		break
	}
	return s.text[start:s.at]
}

// unquote returns what a quoted key means.
func unquote(quoted string) string {
	var v struct{ K string }
	if _, err := toml.Decode("K = "+quoted, &v); err != nil {
		return quoted
	}
	return v.K
}

// enter returns the path of key in the table at path.
func (s *scanner) enter(path, key string) string {
	key = quoteKey(key)
	switch {
	case path == "":
		return key
	case len(path) >= maxPath:
		return path
	}
	return path + "." + key
}

// maxPath is the length in octets from which paths do not grow: what is nested deeper has the place of what
// is around it, and a file of nothing but brackets costs no more than its size. No key comes near it.
const maxPath = 1024

// quoteKey returns a key as it stands in a path: quoted unless all of its characters are those of bare keys.
func quoteKey(key string) string {
	for i := range len(key) {
		if !isBare(key[i]) {
			return strconv.Quote(key)
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// note keeps the place of a path, the first one if there are several. Offsets never go back.
func (s *scanner) note(path string, offset int) {
	s.line += strings.Count(s.text[s.offset:offset], "\n")
	s.offset = offset
	if _, ok := s.lines[path]; !ok {
		s.lines[path] = 1 + s.line
	}
}

// space steps over white space and comments, with lines also over the ends of lines.
func (s *scanner) space(lines bool) {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r'):
			s.at++
		case c == '#' && lines:
			s.until("\n")
		default:
			return
		}
	}
}

// until steps to the next of some characters.
func (s *scanner) until(chars string) {
	if i := strings.IndexAny(s.text[s.at:], chars); i >= 0 {
		s.at += i
	} else {
		s.at = len(s.text)
	}
}

// accept steps over c if it comes next.
func (s *scanner) accept(c byte) bool {
	if s.at == len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}
