package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxSyntaxErrors bounds the number of syntax errors looked for: a file with more is no TOML file.
const maxSyntaxErrors = 20

const (
	headerPattern = `^\s*\[\[?\s*[A-Za-z_][A-Za-z0-9_.-]*\s*\]\]?\s*(#.*)?\r?\n?$`
	keyPattern    = `^\s*[A-Za-z_][A-Za-z0-9_.-]*\s*=`
)

var (
	// Lines that can hardly be anything but the begin of a table, or of a table or a key.
	headerLine = regexp.MustCompile(headerPattern)
	itemLine   = regexp.MustCompile(headerPattern + "|" + keyPattern)
	// bareAmount matches a value with a unit and without quotes.
	bareAmount = regexp.MustCompile(`^[^#"\[]*=\s*([0-9]+(\.[0-9]+)?[A-Za-z]+)\s*(#.*)?\r?\n?$`)
)

// syntax reads text as TOML. After an error it goes on without the key or the table that the error is in,
// so that one slip does not hide the others.
func (p *parser) syntax(name, text string) (tables map[string]any) {
	last := -1
	for range maxSyntaxErrors {
		tables = nil
		_, err := toml.Decode(text, &tables)
		p.src = scan(name, text)
		if err == nil {
			return tables
		}
		var syntax toml.ParseError
		if !errors.As(err, &syntax) {
			p.problems = append(p.problems, Problem{File: name, Message: err.Error(), syntax: true, rank: p.rank})
			break
		}
		offset := min(max(syntax.Position.Start, 0), len(text))
		if offset <= last {
			break // still there: what follows cannot be told apart from its consequences
		}
		last = offset
		text = p.skip(text, offset, syntax.Message)
	}
	return nil
}

// skip reports a syntax error at offset and returns the text with the key or the table that it is in blanked
// out, lines keeping their numbers.
func (p *parser) skip(text string, offset int, message string) string {
	lines := strings.SplitAfter(text, "\n")
	at := strings.Count(text[:offset], "\n") // index of the line
	first, next, key := at, itemLine, ""
	if item := p.src.itemAt(offset); item != nil {
		first = strings.Count(text[:item.start], "\n")
		key = item.path
		if item.header {
			next = headerLine // the keys of a table that cannot be told are nobody's
		}
		if m := bareAmount.FindStringSubmatch(lines[first]); m != nil {
			message = fmt.Sprintf("a value with a unit needs quotes: %q", m[1])
		} else {
			message = inWords(message, key, lines[at])
		}
	}
	if first < at {
		message += fmt.Sprintf(" (in what begins in line %d)", first+1)
	}
	p.problems = append(p.problems, Problem{File: p.src.name, Line: at + 1, Key: key, Message: message, syntax: true, rank: p.rank})
	for i := first; i < len(lines) && (i <= first || !next.MatchString(lines[i])); i++ {
		lines[i] = blank(lines[i])
	}
	return strings.Join(lines, "")
}

// blank returns a line of as many octets without content.
func blank(line string) string {
	content := strings.TrimRight(line, "\r\n")
	return strings.Repeat(" ", len(content)) + line[len(content):]
}
