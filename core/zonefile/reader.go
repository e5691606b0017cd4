package zonefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Options say how a master file is read.
type Options struct {
	Name   string     // of the file, for errors
	Origin dname.Name // what relative names are relative to until $ORIGIN says otherwise; nil: the root
	TTL    uint32     // in seconds, of records that leave it out where nothing else says; with HasTTL
	HasTTL bool
	// Open opens a file that $INCLUDE names, exactly as it is written there: to keep it below some folder is
	// the caller's task. nil: $INCLUDE is an error.
	Open func(name string) (io.ReadCloser, error)
	// MaxErrors is how many errors are told; 0: 10. The rest is counted.
	MaxErrors int
}

// Record is one record of a file. The slices are valid until the function that gets it returns.
type Record struct {
	Owner dname.Name // in the letter case of the file
	Type  wire.Type
	Class wire.Class
	TTL   uint32 // seconds
	RData []byte // uncompressed
	File  string
	Line  int // where the entry begins
}

const (
	// maxErrors is the default of Options.MaxErrors: as many as somebody mends before the next try.
	maxErrors = 10
	// maxDepth limits how deeply $INCLUDE nests, as in miekg/dns.
	maxDepth = 7
	// maxIncluded limits the files that a file includes, directly or not: far more than zones are divided into,
	// few enough for an end when files include each other many times.
	maxIncluded = 10_000
	// maxGenerate limits the records that one $GENERATE makes: the largest range that other servers take.
	maxGenerate = 1 << 16
	// maxGenerated limits what all of them make: a short text must not fill the memory. A reverse zone of 10.0.0.0/8
	// has half of it.
	maxGenerated = 1 << 25
)

// Read reads a master file and calls f with every record in turn. An error of f counts as an error in the
// file's line, unless it is ErrStop, with which reading ends well. After an error Read goes on with the next entry, and
// at last returns *Errors; so f should be content to see only part of the records. When there are more errors than
// Options.MaxErrors, f is called no more. An error of src ends it at once, and so does an entry that is too long for any
// record: whatever the file is, it is no master file.
func Read(src io.Reader, o Options, f func(*Record) error) error {
	if o.Origin == nil {
		o.Origin = dname.Root()
	}
	if o.MaxErrors <= 0 {
		o.MaxErrors = maxErrors
	}
	r := &reader{options: o, f: f, ttl: o.TTL, hasTTL: o.HasTTL, fixed: o.HasTTL}
	r.origin = append(r.originBuf[:0], o.Origin...)
	r.file(src, o.Name)
	if len(r.errs.List) > 0 {
		return &r.errs
	}
	return nil
}

// reader is the state of reading a file and those that it includes.
type reader struct {
	options Options
	f       func(*Record) error
	errs    Errors

	record    Record
	origin    dname.Name
	owner     dname.Name // of the last record; nil: none yet
	ttl       uint32     // of records that leave it out
	hasTTL    bool
	fixed     bool // ttl is from $TTL, not from the last record
	depth     int  // files around this one
	rdata     []byte
	originBuf [dname.MaxLen]byte
	ownerBuf  [dname.MaxLen]byte
	text      []byte
	included  int // files so far
	generated int // records so far
}

// file reads one file. It returns false when reading should end.
func (r *reader) file(src io.Reader, name string) bool {
	s := newScanner(src, bufferSize)
	for {
		ok, err := s.next()
		if err == nil && !ok {
			return true
		}
		if err == nil {
			err = r.entry(s, name)
		}
		if err != nil && !r.fail(s, name, err) {
			return false
		}
		if s.err != nil && !ok {
			return false
		}
	}
}

// fail notes an error and reports whether to go on.
func (r *reader) fail(s *scanner, name string, err error) bool {
	if errors.Is(err, ErrStop) {
		return false
	}
	if r.full() {
		r.errs.More++
	} else {
		if noBreak(s.tokens) {
			err = fmt.Errorf("%w: %w", errNoBreak, err)
		}
		r.errs.List = append(r.errs.List, &Error{name, s.at, err})
	}
	return !errors.Is(err, errLongEntry)
}

// full reports whether as many errors are noted as are told: what follows is only counted.
func (r *reader) full() bool { return len(r.errs.List) == r.options.MaxErrors }

// entry reads one entry, which has a token.
func (r *reader) entry(s *scanner, name string) error {
	if s.at == 1 && bytes.HasPrefix(s.tokens[0].text, []byte("\ufeff")) {
		return errMark
	}
	if t := s.tokens[0]; !s.blank && !t.quoted && t.text[0] == '$' {
		return r.directive(s, name)
	}
	return r.parse(s.tokens, s.blank, name, s.at)
}

// parse reads a record from its tokens.
func (r *reader) parse(tokens []token, blank bool, file string, line int) error {
	if !blank {
		owner, err := r.name(r.ownerBuf[:0], tokens[0])
		if err != nil {
			r.owner = nil
			return fmt.Errorf("owner %q: %w", tokens[0].text, err)
		}
		r.owner = owner
		tokens = tokens[1:]
	}
	if r.owner == nil {
		return errNoOwner
	}
	t, hasTTL, tokens, err := r.head(tokens)
	if err != nil {
		return err
	}
	r.rdata, err = r.parseRData(r.rdata[:0], t, tokens)
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	if len(r.rdata) > wire.MaxLen {
		return fmt.Errorf("%s: %w", t, errLongRData)
	}
	ttl, err := r.ttlOf(t, hasTTL)
	if err != nil {
		return err
	}
	r.record = Record{Owner: r.owner, Type: t, Class: r.record.Class, TTL: ttl, RData: r.rdata, File: file, Line: line}
	if r.full() {
		return nil
	}
	return r.f(&r.record)
}

// head reads TTL, class and type: the first two may be left out and come in either order (RFC 1035, section
// 5.1). It leaves class and TTL in r.record.
func (r *reader) head(tokens []token) (t wire.Type, hasTTL bool, rest []token, err error) {
	r.record.Class = wire.ClassIN
	hasClass := false
	for len(tokens) > 0 && !tokens[0].quoted {
		text := tokens[0].text
		if t := commonType(text); t != 0 {
			return t, hasTTL, tokens[1:], nil
		}
		switch {
		case !hasTTL && isDigit(text[0]):
			ttl, err := parseTTL(text)
			if err != nil {
				return 0, false, nil, fmt.Errorf("TTL %q: %w", text, err)
			}
			hasTTL = true
			r.record.TTL = ttl
		case !hasClass && isClass(text, &r.record.Class):
			hasClass = true
		default:
			t, err := wire.ParseType(string(text))
			if err != nil {
				return 0, false, nil, fmt.Errorf("%q: %w", text, errTypeName)
			}
			return t, hasTTL, tokens[1:], nil
		}
		tokens = tokens[1:]
	}
	return 0, false, nil, errNoType
}

// ttlOf returns the TTL of the record at hand, and takes it as the next one's if there is no $TTL.
func (r *reader) ttlOf(t wire.Type, hasTTL bool) (uint32, error) {
	if hasTTL {
		if !r.fixed {
			// RFC 1035, section 5.1: a TTL left out is that of the last record.
			r.ttl, r.hasTTL = r.record.TTL, true
		}
		return r.record.TTL, nil
	}
	if !r.hasTTL {
		if t != wire.TypeSOA {
			return 0, errNoTTL
		}
		// As other servers do: the SOA's own MINIMUM.
		d := r.rdata[len(r.rdata)-4:]
		r.ttl, r.hasTTL = uint32(d[0])<<24|uint32(d[1])<<16|uint32(d[2])<<8|uint32(d[3]), true
	}
	return r.ttl, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
