package zonefile

import (
	"bytes"
	"fmt"

	"heimdall/core/dname"
)

// directive obeys an entry that begins with $.
func (r *reader) directive(s *scanner, file string) error {
	tokens := s.tokens
	args := tokens[1:]
	is := func(name string) bool { return bytes.EqualFold(tokens[0].text, []byte(name)) }
	switch {
	case is("$ORIGIN"):
		if len(args) != 1 {
			return fmt.Errorf("$ORIGIN: want one name")
		}
		var buf [dname.MaxLen + 1]byte
		n, err := r.name(buf[:0], args[0])
		if err != nil {
			return fmt.Errorf("$ORIGIN %q: %w", args[0].text, err)
		}
		r.origin = append(r.originBuf[:0], n...)
	case is("$TTL"):
		if len(args) != 1 || len(args[0].text) == 0 {
			return fmt.Errorf("$TTL: want one number of seconds")
		}
		ttl, err := parseTTL(args[0].text)
		if err != nil {
			return fmt.Errorf("$TTL %q: %w", args[0].text, err)
		}
		r.ttl, r.hasTTL, r.fixed = ttl, true, true
	case is("$INCLUDE"):
		return r.include(args)
	case is("$GENERATE"):
		return r.generate(args, file, s.at)
	default:
		return fmt.Errorf("%q: %w", tokens[0].text, errDirective)
	}
	return nil
}

// include reads another file in the place of the directive (RFC 1035, section 5.1). Neither its $ORIGIN nor
// its last owner last beyond it.
func (r *reader) include(args []token) error {
	if len(args) < 1 || len(args) > 2 || len(args[0].text) == 0 {
		return fmt.Errorf("$INCLUDE: want a file name, and perhaps an origin")
	}
	if r.options.Open == nil {
		return errNoOpen
	}
	if r.depth == maxDepth {
		return errDepth
	}
	if r.included++; r.included > maxIncluded {
		return errIncluded
	}
	f := fields{r: r}
	f.string(args[0])
	if f.err != nil {
		return fmt.Errorf("$INCLUDE: %w", f.err)
	}
	name := string(f.out[1:])
	origin, owner := bytes.Clone(r.origin), bytes.Clone(r.owner)
	if len(args) == 2 {
		var buf [dname.MaxLen + 1]byte
		n, err := r.name(buf[:0], args[1])
		if err != nil {
			return fmt.Errorf("$INCLUDE origin %q: %w", args[1].text, err)
		}
		r.origin = append(r.originBuf[:0], n...)
	}
	file, err := r.options.Open(name)
	if err != nil {
		return fmt.Errorf("$INCLUDE: open %q: %w", name, err)
	}
	defer file.Close()
	r.depth++
	goOn := r.file(file, name)
	r.depth--
	r.origin = append(r.originBuf[:0], origin...)
	if owner == nil {
		r.owner = nil
	} else {
		r.owner = append(r.ownerBuf[:0], owner...)
	}
	if !goOn {
		return ErrStop
	}
	return nil
}
