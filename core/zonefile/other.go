package zonefile

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// parseOther reads the RDATA of the types that the package does not read itself, by means of miekg/dns.
func (r *reader) parseOther(dst []byte, t wire.Type, tokens []token) ([]byte, error) {
	if _, known := dns.TypeToRR[uint16(t)]; !known {
		return dst, fmt.Errorf(`want RDATA as \# LENGTH HEX (RFC 3597)`)
	}
	// To miekg/dns no RDATA is that of a dynamic update. APL may well be empty (RFC 3123, section 4).
	if len(tokens) == 0 && uint16(t) != dns.TypeAPL {
		return dst, errFew
	}
	var text strings.Builder
	fmt.Fprintf(&text, ". 0 IN %s", t)
	for _, k := range tokens {
		if !k.glued {
			text.WriteByte(' ')
		}
		if k.quoted {
			fmt.Fprintf(&text, `"%s"`, k.text)
		} else {
			text.Write(k.text)
		}
	}
	text.WriteByte('\n')
	parser := dns.NewZoneParser(strings.NewReader(text.String()), r.origin.String(), "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return dst, fmt.Errorf("read RDATA: %w", unwrapParse(err))
	}
	if !ok {
		return dst, errMalformed
	}
	if r.packed == nil {
		r.packed = make([]byte, wire.MaxLen+rrHeader)
	}
	end, err := dns.PackRR(rr, r.packed, 0, nil, false)
	if err != nil {
		return dst, fmt.Errorf("pack RDATA: %w", err)
	}
	if end < rrHeader {
		return dst, errMalformed
	}
	out := append(dst, r.packed[rrHeader:end]...)
	return out, checkRData(t, wire.ClassIN, out[len(dst):])
}

// rrHeader is the length of a record of the root without RDATA.
const rrHeader = 11

// unwrapParse takes what miekg/dns says about place off its error: it is a place in our text, not the
// operator's.
func unwrapParse(err error) error {
	what := strings.TrimPrefix(err.Error(), "dns: ")
	if i := strings.LastIndex(what, " at line:"); i >= 0 {
		what = what[:i]
	}
	return fmt.Errorf("%s", what)
}
