package config

import (
	"fmt"
	"strings"
)

// ManualPage turns the text of config.toml, which is the manual, into heimdall.toml(5) in Markdown: a section for each
// table and in it a term for each key with its default; what the comments above say of it; and the tables that are
// examples as they stand.
func ManualPage(text string) string {
	p := pageWriter{}
	p.b.WriteString("# NAME\n\nheimdall.toml - configuration of heimdalld\n\n# DESCRIPTION\n\n")
	for line := range strings.Lines(text) {
		p.line(strings.TrimRight(line, "\n"))
	}
	p.endExample()
	p.paragraph()
	p.b.WriteString("\n# SEE ALSO\n\n**heimdalld**(8), **heimdallctl**(1)\n")
	return p.b.String()
}

// pageWriter goes through config.toml line by line.
type pageWriter struct {
	b       strings.Builder
	comment []string // lines above a key, or a paragraph of their own, without "# "
	example []string // lines of a table that is an example, without "#"
}

func (p *pageWriter) line(line string) {
	rest, isComment := strings.CutPrefix(line, "#")
	if isComment && rest != "" && rest[0] != ' ' {
		p.paragraph()
		p.example = append(p.example, rest)
		return
	}
	p.endExample()
	switch {
	case isComment && rest == "", line == "":
		p.paragraph()
	case isComment:
		p.comment = append(p.comment, rest[1:])
	case line[0] == '[':
		p.paragraph()
		name, note, _ := strings.Cut(line, " # ")
		fmt.Fprintf(&p.b, "\n# %s\n", escape(name))
		if note != "" {
			fmt.Fprintf(&p.b, "\nAll of it %s.\n", escape(note))
		}
	default:
		p.key(line)
	}
}

// key writes a key behind its comment.
func (p *pageWriter) key(line string) {
	fmt.Fprintf(&p.b, "\n**%s**\n: %s\n", escape(line), escape(strings.Join(p.comment, " ")))
	p.comment = nil
}

// paragraph writes a comment that belongs to no key. Lines that are indented stay lines.
func (p *pageWriter) paragraph() {
	if len(p.comment) == 0 {
		return
	}
	p.b.WriteString("\n")
	for _, l := range p.comment {
		if strings.HasPrefix(l, "  ") {
			p.b.WriteString("    " + strings.TrimSpace(l) + "\n")
		} else {
			p.b.WriteString(escape(l) + "\n")
		}
	}
	p.comment = nil
}

func (p *pageWriter) endExample() {
	if len(p.example) == 0 {
		return
	}
	p.b.WriteString("\n")
	for _, l := range p.example {
		p.b.WriteString("    " + l + "\n")
	}
	p.example = nil
}

// escape takes from text what Markdown would read as marks.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "]", `\]`, "`", "\\`", "#", `\#`).Replace(text)
}
