package wire

import (
	"encoding/hex"
	"strconv"

	"github.com/miekg/dns"

	"heimdall/core/dname"
)

// AppendRRText appends the record rr of msg in presentation form, fields separated by tabs, without a line
// end. RDATA that is malformed or of an unknown type is written as RFC 3597, section 5, has it. It
// allocates.
func AppendRRText(dst, msg []byte, rr *RR) []byte {
	if text, ok := knownText(msg, rr); ok {
		return append(dst, text...)
	}
	owner, _, _ := dname.Unpack(nil, msg, rr.Owner)
	dst = dname.Name(owner).AppendText(dst)
	dst = append(dst, '\t')
	dst = strconv.AppendUint(dst, uint64(rr.TTL), 10)
	dst = append(dst, '\t')
	dst = append(dst, rr.Class.String()...)
	dst = append(dst, '\t')
	dst = append(dst, rr.Type.String()...)
	dst = append(dst, "\t\\# "...)
	dst = strconv.AppendInt(dst, int64(rr.End-rr.Data), 10)
	if rr.End > rr.Data {
		dst = append(dst, ' ')
		dst = hex.AppendEncode(dst, msg[rr.Data:rr.End])
	}
	return dst
}

// knownText returns the text of a sound record of a type that miekg/dns knows.
func knownText(msg []byte, rr *RR) (text string, ok bool) {
	rec, end, err := dns.UnpackRR(msg, rr.Start)
	if err != nil || end != rr.End || rr.Type == TypeOPT {
		return "", false
	}
	if _, unknown := rec.(*dns.RFC3597); unknown {
		return "", false
	}
	rec.Header().Ttl = rr.TTL
	return rec.String(), true
}
