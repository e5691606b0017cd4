package wire

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"

	"github.com/miekg/dns"
)

// EDE is an extended error's INFO-CODE (RFC 8914, section 5.2). Zero is "other error", which by itself
// tells a client nothing: fields of this type use it for no extended error.
type EDE uint16

// The extended errors of RFC 8914, section 4.
const (
	EDEOther                EDE = 0
	EDEUnsupportedAlgorithm EDE = 1
	EDEUnsupportedDigest    EDE = 2
	EDEStaleAnswer          EDE = 3
	EDEForgedAnswer         EDE = 4
	EDEIndeterminate        EDE = 5
	EDEBogus                EDE = 6
	EDESignatureExpired     EDE = 7
	EDESignatureNotYetValid EDE = 8
	EDEDNSKEYMissing        EDE = 9
	EDERRSIGsMissing        EDE = 10
	EDENoZoneKeyBitSet      EDE = 11
	EDENSECMissing          EDE = 12
	EDECachedError          EDE = 13
	EDENotReady             EDE = 14
	EDEBlocked              EDE = 15
	EDECensored             EDE = 16
	EDEFiltered             EDE = 17
	EDEProhibited           EDE = 18
	EDEStaleNXDomain        EDE = 19
	EDENotAuthoritative     EDE = 20
	EDENotSupported         EDE = 21
	EDENoReachableAuthority EDE = 22
	EDENetworkError         EDE = 23
	EDEInvalidData          EDE = 24
)

// MaxEDEText is the longest EXTRA-TEXT in octets that AppendEDE writes. RFC 8914, section 3, asks to keep
// it short, since it must not push a response over the limit for UDP; the number is ours.
const MaxEDEText = 240

// String returns the error's purpose as RFC 8914 words it.
func (e EDE) String() string {
	if s, ok := dns.ExtendedErrorCodeToString[uint16(e)]; ok {
		return s
	}
	return "extended error " + strconv.Itoa(int(e))
}

// AppendEDE appends an extended error to the OPT record that msg ends with, as AppendOption does. Of text,
// which is UTF-8 and may be empty, it takes whole characters up to MaxEDEText octets.
func AppendEDE[T string | []byte](msg []byte, code EDE, text T) []byte {
	var data [2 + MaxEDEText]byte
	binary.BigEndian.PutUint16(data[:], uint16(code))
	n := copy(data[2:2+ClipText(text, MaxEDEText)], text)
	return AppendOption(msg, OptionEDE, data[:2+n])
}

// ClipText returns how many octets the whole UTF-8 characters at the start of s take that fit into limit octets.
func ClipText[T string | []byte](s T, limit int) int {
	if len(s) <= limit {
		return len(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return limit
}
