package zonefile

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"heimdall/core/wire"
)

var (
	errRangeForm = errors.New("want START-STOP or START-STOP/STEP")
	errTemplate  = errors.New("want ${OFFSET}, ${OFFSET,WIDTH} or ${OFFSET,WIDTH,BASE}, BASE one of d o x X n N")
)

// generate makes records from a template, as BIND introduced it: $GENERATE RANGE OWNER [TTL] [CLASS] TYPE RDATA.
func (r *reader) generate(args []token, file string, line int) error {
	if len(args) < 4 {
		return fmt.Errorf("$GENERATE: want a range, an owner, a type and RDATA")
	}
	start, stop, step, err := parseRange(string(args[0].text))
	if err != nil {
		return fmt.Errorf("$GENERATE %q: %w", args[0].text, err)
	}
	template := make([]token, len(args)-1) // what r.f does must not reach the scanner's text
	for i, a := range args[1:] {
		template[i] = token{text: bytes.Clone(a.text), quoted: a.quoted, glued: a.glued}
	}
	if template, err = r.unquote(template); err != nil {
		return fmt.Errorf("$GENERATE: %w", err)
	}
	tokens := make([]token, len(template))
	for i := start; i <= stop; i += step {
		for k, t := range template {
			text, err := expand(tokens[k].text[:0], t.text, i)
			if err != nil {
				return fmt.Errorf("$GENERATE %q: %w", t.text, err)
			}
			if len(text) == 0 && !t.quoted {
				return fmt.Errorf("$GENERATE %q: %w", t.text, errEmptyName)
			}
			tokens[k] = token{text: text, quoted: t.quoted, glued: t.glued, escape: bytes.IndexByte(text, '\\') >= 0}
		}
		if r.generated++; r.generated > maxGenerated {
			return errGenerated
		}
		if err := r.parse(tokens, false, file, line); errors.Is(err, ErrStop) {
			return err
		} else if err != nil {
			return fmt.Errorf("$GENERATE at %d: %w", i, err)
		}
	}
	return nil
}

// unquote cuts RDATA that is one quoted string into its fields, as BIND's manual shows it, but for types that
// are made of strings.
func (r *reader) unquote(template []token) ([]token, error) {
	t, _, rest, err := r.head(template[1:])
	if err != nil || len(rest) != 1 || !rest[0].quoted || strings.HasPrefix(layout(t), "s") || strings.HasPrefix(layout(t), "S") ||
		t == wire.TypeTXT || t == wire.TypeSPF {
		return template, nil // parse tells what is wrong
	}
	text := bytes.ReplaceAll(rest[0].text, []byte(`\"`), []byte(`"`))
	s := newScanner(bytes.NewReader(text), len(text)+1)
	if ok, err := s.next(); err != nil || !ok {
		return template, err
	}
	return append(template[:len(template)-1], s.tokens...), nil
}

// parseRange reads the range of a $GENERATE.
func parseRange(text string) (start, stop, step int64, err error) {
	step = 1
	text, by, stepped := strings.Cut(text, "/")
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return 0, 0, 0, errRangeForm
	}
	number := func(s string) int64 {
		n, parseErr := strconv.ParseUint(s, 10, 31)
		if parseErr != nil {
			err = errRangeForm
		}
		return int64(n)
	}
	start, stop = number(from), number(to)
	if stepped {
		step = number(by)
	}
	if err == nil && (step == 0 || stop < start) {
		err = errRangeForm
	}
	if err == nil && (stop-start)/step >= maxGenerate {
		err = fmt.Errorf("more than %d records", maxGenerate)
	}
	return start, stop, step, err
}

// expand appends a template with each $ replaced by i. \$ and $$ stand for the character itself.
func expand(dst, template []byte, i int64) ([]byte, error) {
	for k := 0; k < len(template); k++ {
		c := template[k]
		next := byte(0)
		if k+1 < len(template) {
			next = template[k+1]
		}
		switch {
		case c == '\\' && next == '$', c == '$' && next == '$':
			dst = append(dst, '$')
			k++
		case c == '\\' && next != 0:
			dst = append(dst, c, next)
			k++
		case c == '$' && next == '{':
			end := bytes.IndexByte(template[k:], '}')
			if end < 0 {
				return dst, errTemplate
			}
			var err error
			if dst, err = modify(dst, string(template[k+2:k+end]), i); err != nil {
				return dst, err
			}
			k += end
		case c == '$':
			dst = strconv.AppendInt(dst, i, 10)
		default:
			dst = append(dst, c)
		}
	}
	return dst, nil
}

// modify appends i as OFFSET,WIDTH,BASE say.
func modify(dst []byte, how string, i int64) ([]byte, error) {
	parts := strings.Split(how, ",")
	if len(parts) > 3 {
		return dst, errTemplate
	}
	offset, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil {
		return dst, errTemplate
	}
	width, base := uint64(0), "d"
	if len(parts) > 1 {
		if width, err = strconv.ParseUint(parts[1], 10, 8); err != nil {
			return dst, errTemplate
		}
	}
	if len(parts) > 2 {
		base = parts[2]
	}
	if i += offset; i < 0 {
		return dst, errRange
	}
	switch base {
	case "d", "o", "x", "X":
		return fmt.Appendf(dst, "%0*"+base, int(width), i), nil
	case "n", "N":
		return appendNibbles(dst, uint64(i), int(width), base == "N"), nil
	}
	return dst, errTemplate
}

// appendNibbles appends the hexadecimal digits of n, the lowest first, with a dot between them, width
// characters at least, dots among them.
func appendNibbles(dst []byte, n uint64, width int, upper bool) []byte {
	digits := "0123456789abcdef"
	if upper {
		digits = "0123456789ABCDEF"
	}
	for {
		dst = append(dst, digits[n&15])
		n >>= 4
		width--
		if width <= 0 && n == 0 {
			return dst
		}
		dst = append(dst, '.')
		width--
		if width <= 0 && n == 0 {
			return dst
		}
	}
}
