package main

// malformedKinds names the kinds of malformed packets, in the order of key modulo
// their number.
var malformedKinds = [...]string{
	"response", "unknown_opcode", "cut_in_question", "no_question", "second_question_missing", "pointer_to_itself", "reserved_label_type", "name_of_321_octets",
}

// malformed is packets that no client should send. A server may answer an error
// or nothing; only to a response it must never reply.
type malformed struct {
	names names

	replies [len(malformedKinds)]uint64
}

func (m *malformed) packet(dst []byte, id uint16, key uint64) []byte {
	b := header(dst, id)
	start := len(dst)
	name := key / uint64(len(malformedKinds)) % m.names.count()
	switch key % uint64(len(malformedKinds)) {
	case 0:
		b[start+2] |= 0x80
		return m.names.question(b, name)
	case 1: // and Z and RCODE set
		b[start+2], b[start+3] = 0x79, 0x4f
		return m.names.question(b, name)
	case 2: // in the middle of the name
		b = m.names.question(b, name)
		return b[:max(len(b)-9, start+13)]
	case 3:
		b[start+5] = 0
		return b
	case 4:
		b[start+5] = 2
		return m.names.question(b, name)
	case 5:
		return append(b, 0xc0, 12, 0, 1, 0, 1)
	case 6: // label type 01, once read as a length of 127
		b = append(b, 0x7f)
		b = append(b, make([]byte, 127)...)
		return append(b, 0, 0, 1, 0, 1)
	}
	for range 5 {
		b = append(b, 63)
		for range 63 {
			b = append(b, 'a')
		}
	}
	return append(b, 0, 0, 1, 0, 1)
}

func (m *malformed) check(reply []byte, key uint64) verdict {
	kind := key % uint64(len(malformedKinds))
	m.replies[kind]++
	switch {
	case kind == 0:
		return answeredResponse
	case len(reply) < headerLen:
		return tooShort
	case reply[2]&0x80 == 0:
		return notResponse
	}
	return right
}

// addKinds adds the replies to each kind to those in kinds, which may be nil.
func (m *malformed) addKinds(kinds map[string]uint64) map[string]uint64 {
	if kinds == nil {
		kinds = map[string]uint64{}
	}
	for i, name := range malformedKinds {
		kinds[name] += m.replies[i]
	}
	return kinds
}
