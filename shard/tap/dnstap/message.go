// Package dnstap encodes messages of dnstap (dnstap.info) and speaks Frame Streams, the protocol that carries them. It has
// what a server needs of protocol buffers, and no more.
package dnstap

import "encoding/binary"

// Type is the type of a message in the schema of dnstap.
type Type uint8

// The types that a server has.
const (
	AuthQuery         Type = 1
	AuthResponse      Type = 2
	ResolverQuery     Type = 3
	ResolverResponse  Type = 4
	ClientQuery       Type = 5
	ClientResponse    Type = 6
	ForwarderQuery    Type = 7
	ForwarderResponse Type = 8
)

// Protocol is the transport of a message.
type Protocol uint8

// The protocols that a server may have.
const (
	UDP Protocol = 1
	TCP Protocol = 2
	DOT Protocol = 3
	DOH Protocol = 4
	DOQ Protocol = 7
)

// Message is a query or a response and what is known of it. Fields that are empty are left out.
type Message struct {
	Type            Type
	Protocol        Protocol
	QueryAddress    []byte // 4 or 16 octets: of who asks
	ResponseAddress []byte // of who answers
	QueryPort       uint16
	ResponsePort    uint16
	QueryTime       int64 // nanoseconds since 1970
	QueryMessage    []byte
	QueryZone       []byte // in wire form
	ResponseTime    int64
	ResponseMessage []byte
}

// The numbers of the fields of Dnstap and of Message.
const (
	identityField = 1
	versionField  = 2
	messageField  = 14
	kindField     = 15

	typeField             = 1
	familyField           = 2
	protocolField         = 3
	queryAddressField     = 4
	responseAddressField  = 5
	queryPortField        = 6
	responsePortField     = 7
	queryTimeField        = 8
	queryNanosField       = 9
	queryMessageField     = 10
	queryZoneField        = 11
	responseTimeField     = 12
	responseNanosField    = 13
	responseMessageField  = 14
	isMessage             = 1 // the only value of kindField
	inet, inet6           = 1, 2
	varintWire, bytesWire = 0, 2 // protobuf's wire types
	fixed32Wire           = 5
)

// Encoder encodes messages of one server. Not safe for concurrent use.
type Encoder struct {
	head    []byte // identity and version
	message []byte
}

// NewEncoder returns an Encoder for a server of that identity and version; those that are empty are left out.
func NewEncoder(identity, version string) *Encoder {
	e := new(Encoder)
	e.head = appendBytes(e.head, identityField, []byte(identity))
	e.head = appendBytes(e.head, versionField, []byte(version))
	return e
}

// AppendFrame appends a message as a data frame of Frame Streams.
func (e *Encoder) AppendFrame(dst []byte, m *Message) []byte {
	b := appendVarint(e.message[:0], typeField, uint64(m.Type))
	switch max(len(m.QueryAddress), len(m.ResponseAddress)) {
	case 4:
		b = appendVarint(b, familyField, inet)
	case 16:
		b = appendVarint(b, familyField, inet6)
	}
	b = appendVarint(b, protocolField, uint64(m.Protocol))
	b = appendBytes(b, queryAddressField, m.QueryAddress)
	b = appendBytes(b, responseAddressField, m.ResponseAddress)
	b = appendVarint(b, queryPortField, uint64(m.QueryPort))
	b = appendVarint(b, responsePortField, uint64(m.ResponsePort))
	b = appendTime(b, queryTimeField, queryNanosField, m.QueryTime)
	b = appendBytes(b, queryMessageField, m.QueryMessage)
	b = appendBytes(b, queryZoneField, m.QueryZone)
	b = appendTime(b, responseTimeField, responseNanosField, m.ResponseTime)
	b = appendBytes(b, responseMessageField, m.ResponseMessage)
	e.message = b

	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, e.head...)
	dst = appendBytes(dst, messageField, b)
	dst = appendVarint(dst, kindField, isMessage)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

// appendVarint appends a field that is a number, unless it is 0.
func appendVarint(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(append(b, byte(field<<3|varintWire)), v)
}

// appendBytes appends a field that is octets, unless there are none.
func appendBytes(b []byte, field int, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return append(binary.AppendUvarint(append(b, byte(field<<3|bytesWire)), uint64(len(v))), v...)
}

// appendTime appends a time as seconds and nanoseconds, unless it is 0.
func appendTime(b []byte, seconds, nanos int, at int64) []byte {
	if at <= 0 {
		return b
	}
	b = appendVarint(b, seconds, uint64(at/1e9))
	return binary.LittleEndian.AppendUint32(append(b, byte(nanos<<3|fixed32Wire)), uint32(at%1e9))
}
