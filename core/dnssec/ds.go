package dnssec

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"strconv"

	"heimdall/core/dname"
)

// DigestType is the digest algorithm of a DS record.
type DigestType uint8

// The digest types that can be checked (RFC 4034, RFC 4509, RFC 6605).
const (
	DigestSHA1   DigestType = 1
	DigestSHA256 DigestType = 2
	DigestSHA384 DigestType = 4
)

// String returns the digest type as the IANA registry names it.
func (d DigestType) String() string {
	switch d {
	case DigestSHA1:
		return "SHA-1"
	case DigestSHA256:
		return "SHA-256"
	case DigestSHA384:
		return "SHA-384"
	}
	return "digest type " + strconv.Itoa(int(d))
}

// DS is the RDATA of a DS record (RFC 4034, section 5.1). Digest is not empty if ParseDS returned it.
type DS struct {
	KeyTag     uint16
	Algorithm  Algorithm
	DigestType DigestType
	Digest     []byte
}

// ParseDS reads RDATA. It does not compare the digest's length with its type: such a record matches no
// key, which is not the same as its not being there. The record's Digest is a piece of rdata.
func ParseDS(rdata []byte) (d DS, ok bool) {
	if len(rdata) < 5 {
		return d, false
	}
	return DS{
		KeyTag:     binary.BigEndian.Uint16(rdata),
		Algorithm:  Algorithm(rdata[2]),
		DigestType: DigestType(rdata[3]),
		Digest:     rdata[4:],
	}, true
}

// Append appends d as RDATA to dst.
func (d DS) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, d.KeyTag)
	dst = append(dst, byte(d.Algorithm), byte(d.DigestType))
	return append(dst, d.Digest...)
}

// MakeDS returns the DS record of the key with the given DNSKEY RDATA at zone's apex (RFC 4034, section
// 5.1.4). It fails when the digest type is not supported or the RDATA is none.
func MakeDS(zone dname.Name, key []byte, t DigestType) (d DS, ok bool) {
	k, ok := ParseDNSKEY(key)
	if !ok {
		return d, false
	}
	digest := keyDigest(zone, key, t)
	return DS{KeyTag: KeyTag(key), Algorithm: k.Algorithm, DigestType: t, Digest: digest}, digest != nil
}

// matches reports whether d was made from the key with the given tag and RDATA at zone's apex.
func (d *DS) matches(zone dname.Name, key *zoneKey) bool {
	return d.KeyTag == key.tag && d.Algorithm == key.Algorithm &&
		bytes.Equal(d.Digest, keyDigest(zone, key.rdata, d.DigestType))
}

// digestMicros is about how many microseconds a digest takes besides the hashing of a long key.
const digestMicros = 1

// keyDigest computes the digest of a DS record, nil if the type is not supported.
func keyDigest(zone dname.Name, key []byte, t DigestType) []byte {
	data := append(dname.AppendLower(make([]byte, 0, len(zone)+len(key)), zone), key...)
	switch t {
	case DigestSHA1:
		sum := sha1.Sum(data)
		return sum[:]
	case DigestSHA256:
		sum := sha256.Sum256(data)
		return sum[:]
	case DigestSHA384:
		sum := sha512.Sum384(data)
		return sum[:]
	}
	return nil
}

// chooseDS returns those of the records that validation must use, as far as p supports them, and why it
// is none of them if it is none.
func (p *Policy) chooseDS(records []DS) (chosen []DS, why Reason) {
	why = ReasonUnsupportedAlgorithm
	strong := false // a record with a digest better than SHA-1 is among the chosen
	for i := range records {
		d := &records[i]
		if len(chosen) == p.MaxKeys {
			break
		}
		if !p.supports(d.Algorithm) {
			continue
		}
		if !p.supportsDigest(d.DigestType) {
			why = ReasonUnsupportedDigest
			continue
		}
		strong = strong || d.DigestType != DigestSHA1
		chosen = append(chosen, *d)
	}
	if strong {
		// RFC 4509, section 3: SHA-1 digests are ignored if there is a better one.
		kept := chosen[:0]
		for _, d := range chosen {
			if d.DigestType != DigestSHA1 {
				kept = append(kept, d)
			}
		}
		chosen = kept
	}
	return chosen, why
}

func (p *Policy) supportsDigest(t DigestType) bool {
	return t == DigestSHA256 || t == DigestSHA384 || t == DigestSHA1 && p.SHA1
}
