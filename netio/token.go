package netio

// Kind says what sort of descriptor an Event is about, and so which part of a
// shard handles it.
type Kind uint8

// The kinds of descriptor a shard polls.
const (
	KindWake        Kind = iota // another thread called Poller.Wake
	KindUDP                     // a listening port
	KindTCPListener             // a listening TCP socket
	KindTCPConn                 // a client's TCP connection
	KindOutUDP                  // a socket that asks other servers
	KindOutTCP                  // a connection to another server
)

func (k Kind) String() string {
	switch k {
	case KindWake:
		return "wake"
	case KindUDP:
		return "udp"
	case KindTCPListener:
		return "tcp-listener"
	case KindTCPConn:
		return "tcp-conn"
	case KindOutUDP:
		return "out-udp"
	case KindOutTCP:
		return "out-tcp"
	}
	return "unknown"
}

// Token packs a kind and an index into the 64 bits the kernel keeps for each
// polled descriptor: kind in bits 32 to 39, index in bits 0 to 31.
func Token(kind Kind, index uint32) uint64 { return uint64(kind)<<32 | uint64(index) }

// What a descriptor is polled for and what an Event reports. The values are
// those of epoll(7).
const (
	Readable      uint32 = 0x1
	Writable      uint32 = 0x4
	Failed        uint32 = 0x8  // reported whether asked for or not
	HungUp        uint32 = 0x10 // reported whether asked for or not
	EdgeTriggered uint32 = 1 << 31
)

// Event is one descriptor that is ready.
type Event struct {
	Token uint64
	Ready uint32 // Readable, Writable, Failed, HungUp
}

// Kind returns the kind given to Token.
func (e Event) Kind() Kind { return Kind(e.Token >> 32) }

// Index returns the index given to Token.
func (e Event) Index() uint32 { return uint32(e.Token) }
