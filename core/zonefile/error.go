package zonefile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Error is what is wrong with a file, and where.
type Error struct {
	File string
	Line int // from 1
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Errors are the errors of a file, at least one.
type Errors struct {
	List []*Error // the first ones, in their order
	More int      // how many there are beside those
}

// Error returns the first error and how many more there are.
func (e *Errors) Error() string {
	n := len(e.List) - 1 + e.More
	if n == 0 {
		return e.List[0].Error()
	}
	return fmt.Sprintf("%v (and %s)", e.List[0], moreErrors(n))
}

// Lines returns the errors of the list, one a line, and how many more there are in the last.
func (e *Errors) Lines() string {
	var b strings.Builder
	for i, err := range e.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(err.Error())
	}
	if e.More > 0 {
		b.WriteString("\nand " + moreErrors(e.More))
	}
	return b.String()
}

// EveryError is err with all the errors of a file, one a line, where it alone would name but the first.
func EveryError(err error) error {
	if all, ok := errors.AsType[*Errors](err); ok {
		return errors.New(all.Lines())
	}
	return err
}

func moreErrors(n int) string {
	if n == 1 {
		return "1 more error"
	}
	return fmt.Sprintf("%d more errors", n)
}

func (e *Errors) Unwrap() []error {
	list := make([]error, len(e.List))
	for i, err := range e.List {
		list[i] = err
	}
	return list
}

// ErrStop ends reading without an error when the function that gets the records returns it.
var ErrStop = errors.New("stop")

// noBreak reports whether a token holds a no-break space. It is an octet pair like others to a DNS name or
// string, so that it is no error itself.
func noBreak(tokens []token) bool {
	for _, t := range tokens {
		if bytes.Contains(t.text, []byte("\u00a0")) {
			return true
		}
	}
	return false
}

var (
	errMark         = errors.New("byte order mark before the text")
	errNoBreak      = errors.New("no-break space where a space is wanted")
	errParenOpen    = errors.New("closing parenthesis without an opening one")
	errParenClose   = errors.New("end of file inside parentheses")
	errQuoted       = errors.New("want it without quotes, which are for text")
	errQuote        = errors.New("end of line inside a quoted string")
	errEscapeEnd    = errors.New("end of line after a backslash")
	errLongEntry    = errors.New("entry longer than 1 MiB")
	errNoOwner      = errors.New("owner left out, but no record before")
	errNoTTL        = errors.New("TTL left out, but no $TTL and no record before")
	errNoType       = errors.New("want a type")
	errRange        = errors.New("number out of range")
	errNumber       = errors.New("want a number")
	errFew          = errors.New("want more fields")
	errMany         = errors.New("want fewer fields")
	errAddress4     = errors.New("want an IPv4 address")
	errAddress6     = errors.New("want an IPv6 address")
	errHex          = errors.New("want pairs of hexadecimal digits")
	errBase64       = errors.New("want Base64")
	errBase32       = errors.New("want Base32 with the extended hex alphabet, of whole octets")
	errHashLength   = errors.New("want a SHA-1 hash of 20 octets")
	errDigestLength = errors.New("digest has not the length of its type")
	errFlags        = errors.New("want flags of 0")
	errTime         = errors.New("want a time as YYYYMMDDHHmmSS or in seconds since 1970")
	errAlgorithm    = errors.New("want a DNSSEC algorithm, as a number or a mnemonic")
	errTypeName     = errors.New("want a record type")
	errLongString   = errors.New("string longer than 255 octets")
	errEscape       = errors.New(`bad escape: want \DDD up to 255, or \ and one character`)
	errEmptyLabel   = errors.New("empty label")
	errLongLabel    = errors.New("label longer than 63 octets")
	errLongName     = errors.New("name longer than 255 octets")
	errLongRData    = errors.New("RDATA longer than 65535 octets")
	errRDataLength  = errors.New("RDATA length and data differ")
	errDepth        = errors.New("$INCLUDE nested too deeply")
	errIncluded     = fmt.Errorf("$INCLUDE of more than %d files", maxIncluded)
	errNoOpen       = errors.New("$INCLUDE is not allowed here")
	errGenerated    = fmt.Errorf("more than %d records out of $GENERATE", maxGenerated)
	errDirective    = errors.New("want $ORIGIN, $TTL, $INCLUDE or $GENERATE")
	errMalformed    = errors.New("malformed RDATA")
	errGenericOnly  = errors.New(`want RDATA as \# LENGTH HEX (RFC 3597)`)
	errTag          = errors.New("want a tag of letters and digits")
	errPrefix       = errors.New("want prefixes as 1:192.0.2.0/24 or !2:2001:db8::/32")
	errGateway      = errors.New("want . for no gateway or relay")
	errNSAP         = errors.New("want 0x and hexadecimal digits")
	errGroups       = errors.New("want groups of hexadecimal digits")
	errLOC          = errors.New("want a place as 52 22 23.000 N 4 53 32.000 E -2.00m")
	errSvcKey       = errors.New("want a SvcParamKey by its name or as keyNNNNN")
	errSvcForm      = errors.New("value has not the form that its key asks for")
	errSvcMandatory = errors.New("mandatory: a key occurs twice, or is mandatory itself")
	errEmptyName    = errors.New("want a name")
)
