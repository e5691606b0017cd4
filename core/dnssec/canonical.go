package dnssec

import (
	"bytes"
	"encoding/binary"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// canonical is the canonical form of an RRset (RFC 4034, section 6), which is the same for all its
// signatures except for what they say themselves: labels and original TTL.
type canonical struct {
	set    *RRset
	sorted [][]byte // canonical RDATA, in order, without duplicates
	buf    []byte   // for appendSigned
}

// newCanonical brings set into canonical form.
func newCanonical(set *RRset) *canonical {
	size := 0
	for _, rdata := range set.Data {
		size += len(rdata)
	}
	all := make([]byte, 0, size) // lower-casing keeps lengths
	sorted := make([][]byte, len(set.Data))
	for i, rdata := range set.Data {
		start := len(all)
		all = wire.CanonicalRData(all, set.Type, rdata)
		sorted[i] = all[start:len(all):len(all)]
	}
	// RFC 4034, section 6.3: as octet strings, and duplicates are dropped.
	slices.SortFunc(sorted, bytes.Compare)
	sorted = slices.CompactFunc(sorted, bytes.Equal)
	return &canonical{set: set, sorted: sorted}
}

// signed returns the octets that sig signs (RFC 4034, section 3.1.8.1), valid until the next call. The
// signature must be in the set's range of labels.
func (c *canonical) signed(sig *RRSIG) []byte {
	var nameBuf [dname.MaxLen]byte
	owner := appendSignedOwner(nameBuf[:0], c.set.Owner, int(sig.Labels))
	b := sig.appendFixed(c.buf[:0])
	b = dname.AppendLower(b, sig.Signer)
	for _, rdata := range c.sorted {
		b = append(b, owner...)
		b = binary.BigEndian.AppendUint16(b, uint16(c.set.Type))
		b = binary.BigEndian.AppendUint16(b, uint16(c.set.Class))
		b = binary.BigEndian.AppendUint32(b, sig.OriginalTTL)
		b = binary.BigEndian.AppendUint16(b, uint16(len(rdata)))
		b = append(b, rdata...)
	}
	c.buf = b
	return b
}

// appendSignedOwner appends the canonical owner name. If owner has more labels than the signature says,
// the records were made from a wildcard, and it is the wildcard that was signed (RFC 4035, section 5.3.2).
func appendSignedOwner(dst []byte, owner dname.Name, labels int) []byte {
	if labels < signableLabels(owner) {
		dst = append(dst, 1, '*')
		owner = owner.Suffix(labels)
	}
	return dname.AppendLower(dst, owner)
}
