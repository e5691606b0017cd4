package ring

import "encoding/binary"

// Record is a query, a response, or both, and what is known of them. The slices of one that was read lie in the ring.
type Record struct {
	Kind      Kind
	Transport Transport
	Source    uint8 // core.Source
	Bits      Bits
	Asked     int64    // ns on the shard's clock, when the query came or left
	Ended     int64    // likewise, when the batch was answered; of a record that was read
	Peer      [16]byte // IPv4 as ::ffff:a.b.c.d
	Local     [16]byte // likewise; zero: unknown
	PeerPort  uint16
	LocalPort uint16 // 0: unknown
	Flags     uint16 // of the query's header
	Rcode     uint16
	EDE       uint16
	Question  uint16 // octets at the start of a message, header and question
	Size      uint16 // octets of the whole response, of which Response may be the start alone
	Query     []byte
	Response  []byte
	Zone      []byte // of Upstream: what the server was asked about
}

// Kind is with whom the messages are exchanged.
type Kind uint8

// The kinds.
const (
	Client   Kind = iota // it asks
	Upstream             // it is asked
)

// Transport is what carries messages.
type Transport uint8

// The transports.
const (
	UDP Transport = iota
	TCP
	TLS
	HTTPS
	QUIC
)

// String returns the transport as the query log has it.
func (t Transport) String() string { return [...]string{"udp", "tcp", "tls", "https", "quic"}[t] }

// Bits are a set of what is true of a record.
type Bits uint8

// The bits.
const (
	Line          Bits = 1 << iota // the query log wants it
	Look                           // the query log wants it if a rule says so
	QueryFrame                     // dnstap wants the query
	ResponseFrame                  // dnstap wants the response
	DO                             // of the query
	Secure                         // the answer was validated
	Forward                        // the query to another server asks for recursion
)

// The layout of a record, little endian:
//
//	offset  size  field
//	0       8     length, kind of piece: see the package comment; in the last 3 bytes Kind, Transport, Source
//	8       8     Asked
//	16      16    Peer
//	32      16    Local
//	48      2, 2  PeerPort, LocalPort
//	52      2, 2  Flags, Rcode
//	56      2, 2  EDE, Question
//	60      2     Size
//	62      1, 1  Bits, length of Zone
//	64      4, 4  length of Query, of Response
//	72            Query, Response, Zone
const recordHeader = 72

// Put writes a record, of which the reader learns by Publish. False: there is no room, or a message is longer than 65535
// octets.
func (r *Ring) Put(rec *Record) bool {
	q, p := len(rec.Query), len(rec.Response)
	if q > 65535 || p > 65535 || len(rec.Zone) > 255 || !r.begin() {
		return false
	}
	b := r.reserve((recordHeader+q+p+len(rec.Zone)+7)&^7, record)
	if b == nil {
		return false
	}
	h := (*[recordHeader]byte)(b)
	h[5], h[6], h[7] = byte(rec.Kind), byte(rec.Transport), rec.Source
	le := binary.LittleEndian
	le.PutUint64(h[8:], uint64(rec.Asked))
	*(*[16]byte)(h[16:]), *(*[16]byte)(h[32:]) = rec.Peer, rec.Local
	le.PutUint64(h[48:], uint64(rec.PeerPort)|uint64(rec.LocalPort)<<16|uint64(rec.Flags)<<32|uint64(rec.Rcode)<<48)
	le.PutUint64(h[56:], uint64(rec.EDE)|uint64(rec.Question)<<16|uint64(rec.Size)<<32|uint64(rec.Bits)<<48|uint64(len(rec.Zone))<<56)
	le.PutUint64(h[64:], uint64(q)|uint64(p)<<32)
	copy(b[recordHeader:], rec.Query)
	copy(b[recordHeader+q:], rec.Response)
	if len(rec.Zone) > 0 {
		copy(b[recordHeader+q+p:], rec.Zone)
	}
	return true
}

func (rec *Record) parse(b []byte) {
	le := binary.LittleEndian
	h := (*[recordHeader]byte)(b)
	rec.Kind, rec.Transport, rec.Source = Kind(h[5]), Transport(h[6]), h[7]
	rec.Asked = int64(le.Uint64(h[8:]))
	rec.Peer, rec.Local = [16]byte(h[16:]), [16]byte(h[32:])
	rec.PeerPort, rec.LocalPort, rec.Flags, rec.Rcode = le.Uint16(h[48:]), le.Uint16(h[50:]), le.Uint16(h[52:]), le.Uint16(h[54:])
	rec.EDE, rec.Question, rec.Size = le.Uint16(h[56:]), le.Uint16(h[58:]), le.Uint16(h[60:])
	rec.Bits = Bits(h[62])
	q, p := int(le.Uint32(h[64:])), int(le.Uint32(h[68:]))
	rec.Query = b[recordHeader : recordHeader+q]
	rec.Response = b[recordHeader+q : recordHeader+q+p]
	rec.Zone = b[recordHeader+q+p : recordHeader+q+p+int(h[63])]
}

// Selection says which records a shard writes.
type Selection struct {
	Lines    uint32   // of so many responses the query log has one; 0: none
	Rules    bool     // the query log looks at all others as well
	Frames   uint32   // of so many messages dnstap has one; 0: none
	Messages Messages // those that dnstap has at all
}

// Messages are a set of types of dnstap messages.
type Messages uint8

// The types, in the order of their numbers in the schema of dnstap, which begin with 1.
const (
	AuthQuery Messages = 1 << iota
	AuthResponse
	ResolverQuery
	ResolverResponse
	ClientQuery
	ClientResponse
	ForwarderQuery
	ForwarderResponse
)
