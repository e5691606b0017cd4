package wire

import "encoding/binary"

// AppendError appends a response to q without records: the header, and the question as it was received
// if Parse could read it. QR, opcode, RD and CD come from q; flags adds others, such as FlagRA. Of an
// extended rcode the low four bits are written; the rest belongs into the OPT, which AppendOPT adds.
//
// q must have been parsed with another verdict than QueryShort.
func AppendError(dst []byte, q *Query, rcode Rcode, flags uint16) []byte {
	// RFC 1035, section 4.1.1: opcode and RD are copied; RFC 4035, section 3.2.2: CD as well.
	flags |= FlagQR | q.Flags&(OpcodeMask|FlagRD|FlagCD) | uint16(rcode)&RcodeMask
	var header [HeaderLen]byte
	binary.BigEndian.PutUint16(header[:], q.ID)
	binary.BigEndian.PutUint16(header[flagsAt:], flags)
	if q.Name == nil {
		return append(dst, header[:]...)
	}
	SetCount(header[:], Question, 1)
	dst = append(dst, header[:]...)
	return append(dst, q.Msg[HeaderLen:q.End]...)
}
