package wire

import (
	"encoding/binary"

	"heimdall/core/dname"
)

// AppendQuery appends a query without OPT: a header with the given flags, opcode included, and one question.
func AppendQuery(dst []byte, id, flags uint16, n dname.Name, t Type, c Class) []byte {
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = binary.BigEndian.AppendUint16(dst, flags)
	dst = binary.BigEndian.AppendUint64(dst, oneQuestion)
	dst = append(dst, n...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(t))
	return binary.BigEndian.AppendUint16(dst, uint16(c))
}
