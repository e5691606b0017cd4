package zonefile

import (
	"errors"
	"io"
)

// scanner cuts text into entries, which are lines but for line ends inside parentheses, and entries into
// tokens.
type scanner struct {
	src   io.Reader // nil at the end
	buf   []byte    // buf[start:end] is text not yet consumed
	start int
	end   int
	line  int // where the next entry begins, from 1
	err   error

	glue int // of buf, where the last token ends

	// The entry.
	at     int     // line where it begins
	blank  bool    // begins with white space: the owner is left out
	tokens []token // valid until the next entry
}

// token is one field of an entry.
type token struct {
	text   []byte // without the quotes; escapes are not resolved
	quoted bool
	escape bool // holds a backslash
	glued  bool // follows the token before without white space
}

const (
	// bufferSize is how much text is read at a time, in bytes.
	bufferSize = 64 << 10
	// maxEntry is the longest entry in bytes. RDATA of 65535 octets takes 262140 characters at most, and
	// leaves room for comments.
	maxEntry = 1 << 20
)

func newScanner(src io.Reader, size int) *scanner {
	return &scanner{src: src, buf: make([]byte, size), line: 1}
}

// fill makes more text available behind buf[start:end] and reports whether there is any.
func (s *scanner) fill() (bool, error) {
	if s.src == nil {
		return false, nil
	}
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.end -= s.start
		s.start = 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= maxEntry {
			return false, errLongEntry
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 { // as bufio does: a reader that gives nothing for so long is broken
		n, err := s.src.Read(s.buf[s.end:])
		s.end += max(n, 0)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			s.src = nil
			s.err = err
			return n > 0, nil
		case err != nil:
			s.src = nil
			return n > 0, nil
		case n > 0:
			return true, nil
		}
	}
	return false, io.ErrNoProgress
}

// Classes of characters.
const (
	plain = iota
	space
	newline
	special // comment, parenthesis, quote, backslash
)

var classes = [256]uint8{' ': space, '\t': space, '\r': space, '\n': newline,
	';': special, '(': special, ')': special, '"': special, '\\': special}

// next reads the next entry that has a token. It returns false at the end of the text. After an error the
// scanner stands behind the line in which it was.
func (s *scanner) next() (bool, error) {
	for {
		ok, err := s.entry()
		if err != nil {
			if errors.Is(err, errLongEntry) {
				s.src = nil // there may be no end to the line
			}
			s.skipLine()
			return false, err
		}
		if len(s.tokens) > 0 {
			return true, nil
		}
		if !ok {
			return false, s.err
		}
	}
}

// entry reads one entry, perhaps an empty one, and returns false if it ends with the text. The text of the
// tokens is valid until the next call.
func (s *scanner) entry() (bool, error) {
	s.tokens = s.tokens[:0]
	s.at = s.line
	s.blank = s.start < s.end && classes[s.buf[s.start]] == space
	i := s.start // the scanner's place
	more, err := s.scan(&i)
	s.start = i
	return more, err
}

func (s *scanner) scan(at *int) (bool, error) {
	i := *at
	defer func() { *at = i }()
	depth := 0
	for first := true; ; first = false {
		if i == s.end {
			more, err := s.more(&i)
			if err != nil {
				return false, err
			}
			if !more {
				if depth > 0 {
					return false, errParenClose
				}
				return false, nil
			}
			if first {
				s.blank = classes[s.buf[i]] == space
			}
		}
		switch c := s.buf[i]; classes[c] {
		case space:
			i++
			continue
		case newline:
			i++
			s.line++
			if depth == 0 {
				return true, nil
			}
			continue
		case special:
			switch c {
			case ';':
				if err := s.comment(&i); err != nil {
					return false, err
				}
				continue
			case '(':
				depth++
				i++
				continue
			case ')':
				if depth == 0 {
					return false, errParenOpen
				}
				depth--
				i++
				continue
			}
		}
		if err := s.token(&i); err != nil {
			return false, err
		}
	}
}

// more reads more text when *i has come to its end, and keeps *i and the tokens where they are in it.
func (s *scanner) more(i *int) (bool, error) {
	from, old := s.start, s.buf
	more, err := s.fill()
	if moved := from - s.start; moved != 0 || &old[0] != &s.buf[0] {
		*i -= moved
		s.glue -= moved
		for k := range s.tokens {
			t := &s.tokens[k]
			at := cap(old) - cap(t.text) - moved
			t.text = s.buf[at : at+len(t.text)]
		}
	}
	return more, err
}

// comment steps over a comment, up to the line end.
func (s *scanner) comment(i *int) error {
	for {
		for ; *i < s.end; *i++ {
			if s.buf[*i] == '\n' {
				return nil
			}
		}
		if more, err := s.more(i); !more || err != nil {
			return err
		}
	}
}

// token reads the token at *i.
func (s *scanner) token(i *int) error {
	if s.buf[*i] == '"' {
		return s.quotedToken(i)
	}
	t := token{}
	size := 0
	for {
		at := *i + size
		if at == s.end {
			more, err := s.more(i)
			if err != nil {
				return err
			}
			if more {
				continue
			}
			break
		}
		c := s.buf[at]
		if classes[c] != plain {
			if c != '\\' {
				break
			}
			t.escape = true
			size++
			if at+1 == s.end {
				more, err := s.more(i)
				if err != nil {
					return err
				}
				if !more {
					return errEscapeEnd
				}
			}
			if s.buf[*i+size] == '\n' {
				return errEscapeEnd
			}
		}
		size++
	}
	t.text = s.buf[*i : *i+size]
	s.push(t, i, size)
	return nil
}

// push adds the token of size characters at *i, quotes included, to the entry, and steps over it.
func (s *scanner) push(t token, i *int, size int) {
	t.glued = len(s.tokens) > 0 && s.glue == *i
	s.tokens = append(s.tokens, t)
	*i += size
	s.glue = *i
}

// quotedToken reads the quoted string at *i.
func (s *scanner) quotedToken(i *int) error {
	t := token{quoted: true}
	size := 1
	for escaped := false; ; size++ {
		if *i+size == s.end {
			more, err := s.more(i)
			if err != nil {
				return err
			}
			if !more {
				return errQuote
			}
		}
		switch c := s.buf[*i+size]; {
		case c == '\n' && !escaped:
			return errQuote
		case escaped:
			if escaped = false; c == '\n' {
				s.line++
			}
		case c == '\\':
			escaped, t.escape = true, true
		case c == '"':
			t.text = s.buf[*i+1 : *i+size]
			s.push(t, i, size+1)
			return nil
		}
	}
}

// skipLine goes on behind the next line end.
func (s *scanner) skipLine() {
	for {
		for ; s.start < s.end; s.start++ {
			if s.buf[s.start] == '\n' {
				s.start++
				s.line++
				return
			}
		}
		if more, err := s.fill(); !more || err != nil {
			s.start = s.end
			s.src = nil
			return
		}
	}
}
