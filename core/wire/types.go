package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Type is an RR type or a query type.
type Type uint16

// The types that the code names. All others are carried just as well (RFC 3597).
const (
	TypeA          Type = 1
	TypeNS         Type = 2
	TypeMD         Type = 3
	TypeMF         Type = 4
	TypeCNAME      Type = 5
	TypeSOA        Type = 6
	TypeMB         Type = 7
	TypeMG         Type = 8
	TypeMR         Type = 9
	TypeNULL       Type = 10
	TypeWKS        Type = 11
	TypePTR        Type = 12
	TypeHINFO      Type = 13
	TypeMINFO      Type = 14
	TypeMX         Type = 15
	TypeTXT        Type = 16
	TypeRP         Type = 17
	TypeAFSDB      Type = 18
	TypeX25        Type = 19
	TypeISDN       Type = 20
	TypeRT         Type = 21
	TypeNSAP       Type = 22
	TypeNSAPPTR    Type = 23
	TypeSIG        Type = 24
	TypeKEY        Type = 25
	TypePX         Type = 26
	TypeGPOS       Type = 27
	TypeAAAA       Type = 28
	TypeLOC        Type = 29
	TypeNXT        Type = 30
	TypeEID        Type = 31
	TypeNIMLOC     Type = 32
	TypeSRV        Type = 33
	TypeATMA       Type = 34
	TypeNAPTR      Type = 35
	TypeKX         Type = 36
	TypeCERT       Type = 37
	TypeA6         Type = 38
	TypeDNAME      Type = 39
	TypeSINK       Type = 40
	TypeOPT        Type = 41
	TypeAPL        Type = 42
	TypeDS         Type = 43
	TypeSSHFP      Type = 44
	TypeIPSECKEY   Type = 45
	TypeRRSIG      Type = 46
	TypeNSEC       Type = 47
	TypeDNSKEY     Type = 48
	TypeDHCID      Type = 49
	TypeNSEC3      Type = 50
	TypeNSEC3PARAM Type = 51
	TypeTLSA       Type = 52
	TypeSMIMEA     Type = 53
	TypeHIP        Type = 55
	TypeNINFO      Type = 56
	TypeRKEY       Type = 57
	TypeTALINK     Type = 58
	TypeCDS        Type = 59
	TypeCDNSKEY    Type = 60
	TypeOPENPGPKEY Type = 61
	TypeCSYNC      Type = 62
	TypeZONEMD     Type = 63
	TypeSVCB       Type = 64
	TypeHTTPS      Type = 65
	TypeDSYNC      Type = 66
	TypeHHIT       Type = 67
	TypeBRID       Type = 68
	TypeSPF        Type = 99
	TypeUINFO      Type = 100
	TypeUID        Type = 101
	TypeGID        Type = 102
	TypeNID        Type = 104
	TypeL32        Type = 105
	TypeL64        Type = 106
	TypeLP         Type = 107
	TypeEUI48      Type = 108
	TypeEUI64      Type = 109
	TypeTKEY       Type = 249
	TypeTSIG       Type = 250
	TypeIXFR       Type = 251
	TypeAXFR       Type = 252
	TypeMAILB      Type = 253
	TypeMAILA      Type = 254
	TypeANY        Type = 255
	TypeURI        Type = 256
	TypeCAA        Type = 257
	TypeAVC        Type = 258
	TypeDOA        Type = 259
	TypeAMTRELAY   Type = 260
	TypeRESINFO    Type = 261
	TypeWALLET     Type = 262
	TypeCLA        Type = 263
	TypeIPN        Type = 264
	TypeTA         Type = 32768
	TypeDLV        Type = 32769
)

// registered are the types of the IANA registry whose mnemonics miekg/dns does not know.
var registered = []struct {
	t    Type
	name string
}{
	{TypeWKS, "WKS"}, {TypeNSAP, "NSAP"}, {TypeA6, "A6"}, {TypeSINK, "SINK"}, {TypeDSYNC, "DSYNC"}, {TypeHHIT, "HHIT"},
	{TypeBRID, "BRID"}, {TypeDOA, "DOA"}, {TypeWALLET, "WALLET"}, {TypeCLA, "CLA"}, {TypeIPN, "IPN"},
}

// String returns the type's mnemonic, or TYPEnnn (RFC 3597, section 5).
func (t Type) String() string {
	if s, ok := dns.TypeToString[uint16(t)]; ok && t != 0 {
		return s
	}
	for _, r := range registered {
		if r.t == t {
			return r.name
		}
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// ParseType is String's inverse; it takes either letter case.
func ParseType(s string) (Type, error) {
	if t, ok := dns.StringToType[strings.ToUpper(s)]; ok && t != 0 {
		return Type(t), nil
	}
	for _, r := range registered {
		if strings.EqualFold(s, r.name) {
			return r.t, nil
		}
	}
	if n, ok := parseNumbered(s, "TYPE"); ok {
		return Type(n), nil
	}
	return 0, fmt.Errorf("unknown RR type %q: want a mnemonic or TYPEnnn", s)
}

// IsMeta reports whether t is a query or pseudo type, which no zone or cache holds records of
// (RFC 6895, section 3.1: 128 to 255, and OPT).
func (t Type) IsMeta() bool { return t == TypeOPT || t >= 128 && t <= 255 }

// Class is an RR class or a query class.
type Class uint16

// The classes (RFC 6895, section 3.2).
const (
	ClassIN   Class = 1
	ClassCH   Class = 3
	ClassHS   Class = 4
	ClassNONE Class = 254
	ClassANY  Class = 255
)

// String returns the class's mnemonic, or CLASSnnn (RFC 3597, section 5).
func (c Class) String() string {
	if s, ok := dns.ClassToString[uint16(c)]; ok {
		return s
	}
	return "CLASS" + strconv.Itoa(int(c))
}

// ParseClass is String's inverse; it takes either letter case.
func ParseClass(s string) (Class, error) {
	if c, ok := dns.StringToClass[strings.ToUpper(s)]; ok {
		return Class(c), nil
	}
	if n, ok := parseNumbered(s, "CLASS"); ok {
		return Class(n), nil
	}
	return 0, fmt.Errorf("unknown class %q: want a mnemonic or CLASSnnn", s)
}

// parseNumbered reads prefix, in either case, and a 16-bit number without sign.
func parseNumbered(s, prefix string) (uint16, bool) {
	if len(s) <= len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[len(prefix):], 10, 16)
	return uint16(n), err == nil
}
