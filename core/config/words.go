package config

import (
	"fmt"
	"slices"
	"strings"
)

// phrases say in our words what the toml package says in its own, by how that begins. A "%s" stands for what the package
// has found.
var phrases = []struct{ theirs, ours string }{
	{"Invalid float", "%s is no number; a text, such as an address, needs quotes"},
	{"Invalid integer", "%s is no number: digits, without a zero before them; a text needs quotes"},
	{"invalid datetime", "%s is no time; a text needs quotes"},
	{"expected value but found", "the value is missing, or it is a text without quotes"},
	{"expected a digit", "the value is no number; a text needs quotes"},
	{"strings cannot contain newlines", "the quotes that begin a text are not closed in its line"},
	{"invalid escape", `a backslash in a text stands for more than itself: write "\\" for one, or put the text in single quotes`},
	{"expected a comma (','", "a comma between two elements, or the bracket that closes the list, is missing"},
	{"expected a comma or an inline table", "a comma between two keys, or the brace that closes the table, is missing"},
	{"expected '.' or '='", "want a key and a value, such as: key = \"value\""},
	{"expected '.' or ']' to end table name", "the bracket that closes the name of the table is missing"},
	{"expected a top-level item to end", "a line has one key and its value; what follows belongs on a line of its own, or is a text without quotes"},
}

// inWords is a message of the toml package in our words, with what the key at path wants. text is the line that it is
// about.
func inWords(message, path, line string) string {
	if _, value, ok := strings.Cut(line, "="); ok {
		value, _, _ = strings.Cut(value, "#")
		line = strings.TrimSpace(value)
	}
	for _, p := range phrases {
		if !strings.HasPrefix(message, p.theirs) {
			continue
		}
		message = p.ours
		if strings.Contains(message, "%s") {
			message = fmt.Sprintf(message, line)
		}
		break
	}
	if strings.HasPrefix(message, "Key '") {
		return "the key or the table stands twice; keep one"
	}
	if i := slices.IndexFunc(keys, func(k key) bool { return k.Name == path }); i >= 0 {
		if f := keys[i].set(new(Config), nil); f != nil { // nil is a value of no type
			want, _, _ := strings.Cut(f[0].message, ", not ")
			message += "; " + want
		}
	}
	return message
}
